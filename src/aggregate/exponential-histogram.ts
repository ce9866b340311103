export interface NativeHistogram { readonly schema: number }
