/** What stands on the first page of the catalogue, in every shop; the load scripts buy these. */
export const firstPage = [
  { id: 1, name: "Sounding line", priceCents: 2_450 },
  { id: 2, name: "Brass sextant", priceCents: 38_900 },
  { id: 3, name: "Tide table", priceCents: 1_290 },
  { id: 4, name: "Storm lantern", priceCents: 5_400 },
  { id: 5, name: "Oilskin coat", priceCents: 12_750 },
  { id: 6, name: "Signal flags", priceCents: 7_300 },
  { id: 7, name: "Ship's biscuit, 1 kg", priceCents: 890 },
  { id: 8, name: "Barometer", priceCents: 16_000 },
];
