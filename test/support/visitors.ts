/** Visitors of the shop who buy without a pause, each waiting for its answers. */

export interface Visitors extends AsyncDisposable {
  /** Statuses that they got, with how many of each. */
  readonly statuses: ReadonlyMap<number, number>;
}

export function startVisitors(shopUrl: string, count = 10): Visitors {
  const statuses = new Map<number, number>();
  let isOpen = true;
  const ask = async (path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(
      shopUrl + path,
      body === undefined ? {} : { method: "POST", body: JSON.stringify(body) },
    );
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    return response;
  };
  const visit = async (productId: number) => {
    while (isOpen) {
      await (await ask("/products")).arrayBuffer();
      await (await ask(`/products/${productId}`)).arrayBuffer();
      const cart: unknown = await (await ask("/cart", { productId })).json();
      await (await ask("/checkout", cart)).arrayBuffer();
    }
  };
  const visits = Promise.all(Array.from({ length: count }, (_, index) => visit(1 + (index % 8))));
  return {
    statuses,
    async [Symbol.asyncDispose]() {
      isOpen = false;
      await visits;
    },
  };
}
