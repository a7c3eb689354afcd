/**
 * Asks one question at a time for each key. Callers that arrive meanwhile share its result if `settles` accepts it; any
 * other result may be outdated (a login may have occurred in between), so they share the next question instead.
 */
export function singleFlight<K, T>(
  settles: (answer: T) => boolean,
): (key: K, ask: () => Promise<T>) => Promise<T> {
  const flights = new Map<K, { readonly answer: Promise<T>; next: Promise<T> | undefined }>();
  const start = (key: K, ask: () => Promise<T>): Promise<T> => {
    const answer = ask().finally(() => flights.delete(key));
    flights.set(key, { answer, next: undefined });
    return answer;
  };
  const join = (key: K, ask: () => Promise<T>): Promise<T> => {
    const flight = flights.get(key);
    if (!flight) return start(key, ask);
    flight.next ??= flight.answer.then((answer) => (settles(answer) ? answer : join(key, ask)));
    return flight.next;
  };
  return join;
}
