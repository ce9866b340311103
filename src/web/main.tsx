/**
 * The page: what the server's URL opens. It knows the server by HTTP only.
 */
import { render } from "preact";
import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import { App } from "./app.tsx";
import { followLinks } from "./navigation/place.ts";
import { takeShareToken } from "./session/session.tsx";

const shareToken = takeShareToken();
followLinks();
const root = document.querySelector("#page");
if (root) render(<App shareToken={shareToken} />, root);
