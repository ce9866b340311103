/**
 * The files beside the code that the stack is made of, in a clone and in an installed package alike.
 */
import { fileURLToPath } from "node:url";

/** Absolute path of a file of the package, e.g. `docker-compose.yml`. */
export function packagedFile(path: string): string {
  // From src/stack/ and from dist/stack/.
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
