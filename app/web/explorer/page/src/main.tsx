import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./page.css";
import "./workers";
import { DOC_EXPLORER_PLUGIN } from "@graphiql/plugin-doc-explorer";
import { createRoot } from "react-dom/client";
import { Explorer } from "./explorer";
import { loadRoster } from "./people";
import { openAtFirst } from "./visits";

openAtFirst(DOC_EXPLORER_PLUGIN);
const place = document.getElementById("explorer");
if (place) createRoot(place).render(<Explorer roster={await loadRoster()} />);
