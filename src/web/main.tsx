/**
 * The page: what the server's URL opens. It knows the server by HTTP only.
 */
import { render } from "preact";

const root = document.querySelector("#page");
if (root) render(<h1>Plimsoll</h1>, root);
