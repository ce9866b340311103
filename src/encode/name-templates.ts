/**
 * Makes one name of the many URLs of one endpoint: `http://shop.test/products/123?x=1` becomes
 * `http://shop.test/products/{id}`.
 *
 * In:  the values of the tags `name` and `url`. What is no URL and no path was named by the script, and stays.
 * Out: the name under which they are counted together. Query and fragment go: a template names a path.
 *
 * A template is written as in OpenAPI: `{name}` stands for one segment, or a part of one. The first that matches
 * decides; then, if asked for, segments that look like an id are recognised.
 */

/** What asks for recognition, in the place of a template. */
const automatic = "auto";

const url = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)?(\/[^?#]*)?(?:[?#].*)?$/is;

/** @param templates Paths such as `/products/{id}`, with an origin before them or for any; or `auto` */
export function createNameTemplate(templates: readonly string[]): (name: string) => string {
  const patterns = templates
    .filter((template) => template !== automatic)
    .map((template) => ({
      template,
      hasOrigin: !template.startsWith("/"),
      pattern: toPattern(template),
    }));
  const recognises = templates.includes(automatic);
  return (name) => {
    const [, origin = "", path = ""] = url.exec(name) ?? [];
    if (origin === "" && path === "") return name;
    for (const { template, hasOrigin, pattern } of patterns) {
      if (pattern.test(hasOrigin ? origin + path : path)) {
        return hasOrigin ? template : origin + template;
      }
    }
    if (!recognises) return name;
    return (
      origin +
      path
        .split("/")
        .map((segment) => (isId(segment) ? "{id}" : segment))
        .join("/")
    );
  };
}

function toPattern(template: string): RegExp {
  const parts = template.split(/\{[^{}]*\}/);
  const literals = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literals.join("[^/]+")}$`);
}

/**
 * Numbers, dates and the like; UUIDs and other hexadecimal; long tokens such as ULIDs. A word, a version (`v2`) and
 * a slug (`red-shoes-42`, `summer_sale_2024_catalogue`) are none: its words have separators, and its digits are
 * together where it has none.
 */
function isId(segment: string): boolean {
  if (/^\d[\d.,:_-]*$/.test(segment)) return true;
  if (!/\d/.test(segment)) return false;
  if (/^[0-9a-f]{8,}(?:-[0-9a-f]+)*$/i.test(segment)) return true;
  return /^[a-z0-9]{20,}$/i.test(segment) && /\d[a-z]+\d/i.test(segment);
}
