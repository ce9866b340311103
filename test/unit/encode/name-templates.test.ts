import { expect, it } from "vitest";
import { createNameTemplate } from "../../../src/encode/name-templates.ts";

it.each([
  ["http://shop.test/products/123", "http://shop.test/products/{id}"],
  ["http://shop.test/products/123?tab=reviews#top", "http://shop.test/products/{id}"],
  ["/products/123", "/products/{id}"],
  ["http://shop.test/products/a.b%20c", "http://shop.test/products/{id}"],
  // The first that matches.
  ["http://shop.test/products/new", "http://shop.test/products/new"],
  ["http://shop.test/files/report.pdf", "http://shop.test/files/{name}.pdf"],
  ["https://api.test/v1/users/7", "https://api.test/v1/users/{user}"],
  // Of one segment, of the whole path, of that origin only.
  ["http://shop.test/products/123/reviews", "http://shop.test/products/123/reviews"],
  ["http://shop.test/products/", "http://shop.test/products/"],
  ["http://shop.test/filesXpdf", "http://shop.test/filesXpdf"],
  ["http://shop.test/v1/users/7", "http://shop.test/v1/users/7"],
  // Named by the script.
  ["product page", "product page"],
  ["", ""],
])("makes of %j what the templates say: %j", (name, expected) => {
  const template = createNameTemplate([
    "/products/new",
    "/products/{id}",
    "/files/{name}.pdf",
    "https://api.test/v1/users/{user}",
  ]);
  expect(template(name)).toBe(expected);
});

it.each([
  ["http://shop.test/products/123", "http://shop.test/products/{id}"],
  ["http://shop.test/2026-08-21/orders/4-5?page=2", "http://shop.test/{id}/orders/{id}"],
  ["/users/7c9e6679-7425-40de-944b-e07fc1f90ae7/cart", "/users/{id}/cart"],
  ["/posts/507f1f77bcf86cd799439011", "/posts/{id}"],
  ["/sessions/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/sessions/{id}"],
  // A KSUID, a Firebase key, a CUID.
  ["/events/0ujtsYcgvSTl8PAuAdqWYMnMOv9", "/events/{id}"],
  ["/docs/LKs7f3Qm2xWb9TzRc4Vp", "/docs/{id}"],
  ["/u/cjld2cjxh0000qzrmn831i7rn", "/u/{id}"],
  ["http://shop.test?token=x", "http://shop.test"],
  // Words, versions, slugs, and what k6's http.url left.
  ["/api/v2/facade", "/api/v2/facade"],
  ["/products/red-shoes-42", "/products/red-shoes-42"],
  ["/pages/summer_sale_2024_catalogue", "/pages/summer_sale_2024_catalogue"],
  ["/pages/blackfriday2024specials", "/pages/blackfriday2024specials"],
  ["/blog/10_things_we_learned_in_2023", "/blog/10_things_we_learned_in_2023"],
  ["/blog/iphone_15_pro_max_vs_galaxy_s24", "/blog/iphone_15_pro_max_vs_galaxy_s24"],
  ["/wiki/2024_Summer_Olympics_medal_table", "/wiki/2024_Summer_Olympics_medal_table"],
  ["/api/getCustomerAddressesV2", "/api/getCustomerAddressesV2"],
  ["http://shop.test/products/${}", "http://shop.test/products/${}"],
  ["checkout 3", "checkout 3"],
])("recognises ids in %j: %j", (name, expected) => {
  expect(createNameTemplate(["auto"])(name)).toBe(expected);
});

it("prefers a template to recognition", () => {
  const template = createNameTemplate(["auto", "/products/{product}"]);
  expect(template("/products/1")).toBe("/products/{product}");
  expect(template("/orders/1")).toBe("/orders/{id}");
});
