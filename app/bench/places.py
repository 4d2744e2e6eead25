"""Where rooms are and what they are called, in the alphabets that customers write."""

from typing import NamedTuple


class Place(NamedTuple):
    """A city with buildings, and what a meeting room is called there."""

    country: str
    city: str
    time_zone: str
    latitude: float
    longitude: float
    street: str
    buildings: tuple[str, ...]
    room: str


PLACES = (
    Place(
        "Switzerland", "Zürich", "Europe/Zurich", 47.38, 8.54, "Löwenstrasse", ("Löwenhof", "Seehaus"), "Sitzungszimmer"
    ),
    Place(
        "Germany", "München", "Europe/Berlin", 48.14, 11.58, "Gärtnerstraße", ("Großes Haus", "Südbau"), "Besprechung"
    ),
    Place("Austria", "Wien", "Europe/Vienna", 48.21, 16.37, "Am Graben", ("Altbau", "Hofgebäude"), "Besprechungsraum"),
    Place(
        "France",
        "Orléans",
        "Europe/Paris",
        47.9,
        1.91,
        "rue des Érables",
        ("Bâtiment Nord", "L’Étoile"),
        "Salle de réunion",
    ),
    Place(
        "Spain",
        "A Coruña",
        "Europe/Madrid",
        43.37,
        -8.4,
        "Rúa Nova",
        ("Edificio Añil", "Torre Sur"),
        "Sala de reuniones",
    ),
    Place(
        "Portugal",
        "Évora",
        "Europe/Lisbon",
        38.57,
        -7.91,
        "Rua do Sol",
        ("Edifício São João", "Pátio"),
        "Sala de reuniões",
    ),
    Place(
        "Brazil", "São Paulo", "America/Sao_Paulo", -23.55, -46.63, "Avenida Central", ("Torre Leste", "Anexo"), "Sala"
    ),
    Place(
        "Ireland",
        "Dún Laoghaire",
        "Europe/Dublin",
        53.29,
        -6.14,
        "Harbour Road",
        ("Harbour House", "The Mill"),
        "Meeting Room",
    ),
    Place(
        "United States",
        "Seattle",
        "America/Los_Angeles",
        47.61,
        -122.33,
        "Pine Street",
        ("Building 1", "Building 12"),
        "Conference Room",
    ),
    Place(
        "Denmark",
        "København",
        "Europe/Copenhagen",
        55.68,
        12.57,
        "Østergade",
        ("Ørsteds Gård", "Havnehuset"),
        "Mødelokale",
    ),
    Place(
        "Iceland",
        "Reykjavík",
        "Atlantic/Reykjavik",
        64.15,
        -21.94,
        "Aðalstræti",
        ("Höfðahús", "Þingholt"),
        "Fundarherbergi",
    ),
    Place(
        "Poland", "Łódź", "Europe/Warsaw", 51.77, 19.46, "Źródłowa", ("Żubr", "Biurowiec Wschód"), "Sala konferencyjna"
    ),
    Place("Czechia", "Plzeň", "Europe/Prague", 49.75, 13.38, "Náměstí", ("Žižkův dům", "Věž"), "Zasedací místnost"),
    Place(
        "Turkey", "İzmir", "Europe/Istanbul", 38.42, 27.14, "Çınar Sokak", ("Işık Han", "Güney Blok"), "Toplantı Odası"
    ),
    Place("Greece", "Αθήνα", "Europe/Athens", 37.98, 23.73, "Οδός Ερμού", ("Κτίριο Α", "Πύργος"), "Αίθουσα"),
    Place("Bulgaria", "София", "Europe/Sofia", 42.7, 23.32, "ул. Шипка", ("Сграда Изток", "Кулата"), "Зала"),
    Place("Ukraine", "Львів", "Europe/Kyiv", 49.84, 24.03, "вул. Зелена", ("Будинок Ї", "Вежа"), "Переговорна"),
    Place("Georgia", "თბილისი", "Asia/Tbilisi", 41.72, 44.79, "მზის ქუჩა", ("აღმოსავლეთი", "კოშკი"), "დარბაზი"),
    Place("Armenia", "Երևան", "Asia/Yerevan", 40.18, 44.51, "Հյուսիսային", ("Մասնաշենք Ա", "Աշտարակ"), "Սրահ"),
    Place("Israel", "תל אביב", "Asia/Jerusalem", 32.09, 34.78, "רחוב הים", ("בניין צפון", "המגדל"), "חדר ישיבות"),
    Place("Egypt", "القاهرة", "Africa/Cairo", 30.04, 31.24, "شارع النيل", ("المبنى الشرقي", "البرج"), "قاعة"),
    Place("India", "मुंबई", "Asia/Kolkata", 19.08, 72.88, "सागर मार्ग", ("पूर्वी भवन", "मीनार"), "बैठक कक्ष"),
    Place("Thailand", "กรุงเทพฯ", "Asia/Bangkok", 13.76, 100.5, "ถนนสุขใจ", ("อาคารเหนือ", "หอคอย"), "ห้องประชุม"),
    Place("Vietnam", "Đà Nẵng", "Asia/Ho_Chi_Minh", 16.05, 108.2, "Đường Biển", ("Tòa Đông", "Tháp"), "Phòng họp"),
    Place("China", "上海", "Asia/Shanghai", 31.23, 121.47, "东湖路", ("东楼", "塔楼"), "会议室"),
    Place("Japan", "大阪", "Asia/Tokyo", 34.69, 135.5, "中央通り", ("東館", "タワー"), "会議室"),
    Place("South Korea", "서울", "Asia/Seoul", 37.57, 126.98, "한강로", ("동관", "타워"), "회의실"),
)
PARTNERS = (
    "Blue House", "Blauhaus", "Maison Bleue", "Casa Azul", "Casa Azzurra", "Blått Hus", "Bláa Húsið", "Niebieski Dom",
    "Modrý Dům", "Mavi Ev", "Γαλάζιο Σπίτι", "Синята Къща", "Блакитний Дім", "ცისფერი სახლი", "Կապույտ Տուն",
    "הבית הכחול", "البيت الأزرق", "नीला भवन", "Nhà Xanh", "蓝屋",
)  # fmt: skip
"""Organizations with partners' people."""
JOBS = ("technician", "dispatcher", "planner", "analyst", "auditor")
"""What people are named by."""
