// placeholder until the field builders land
export interface Schema<T> {
  readonly type?: T
}
