// The text of a schema, included at build time.
declare module "*.sql" {
  const text: string;
  export default text;
}
