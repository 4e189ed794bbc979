/** What goes around the stage: colours, contents, what is copied and saved, what scrolls. */

import { contents } from "ratewarp/contents";
import { reachable } from "ratewarp/reachable";
import { taking } from "ratewarp/taking";
import { themeButton } from "ratewarp/theme";

themeButton(/** @type {HTMLButtonElement | null} */ (document.getElementById("theme")));
contents(/** @type {HTMLElement | null} */ (document.querySelector("nav.contents")));
taking(document);
reachable(document.querySelectorAll("figure, .scroll, pre"));
