// A schema's text, put in at build time.
declare module "*.sql" {
  const text: string;
  export default text;
}
