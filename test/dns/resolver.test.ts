import { createSocket } from "node:dgram";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openResolver } from "@qmail-mysql/resolver";
import { Trouble } from "@qmail-mysql/trouble";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type NameServer, startDnsmasq } from "../lib/dnsmasq.ts";
import { framed, type HostileDns, responseTo, startHostileDns } from "../lib/hostile-dns.ts";
import { isRoot } from "../lib/world.ts";

describe.skipIf(!isRoot)("lookups with a name server", () => {
  const LONG = Array.from({ length: 6 }, (_, i) => `${i}${"x".repeat(199)}`);
  let server: NameServer;
  beforeAll(async () => {
    server = await startDnsmasq([
      "--host-record=a.example,192.0.2.1,2001:db8::1",
      "--address=/two.example/192.0.2.2",
      "--address=/two.example/192.0.2.3",
      "--cname=alias.example,a.example",
      "--mx-host=example,mx2.example,20",
      "--mx-host=example,mx1.example,10",
      "--txt-record=t.example,v=spf1 ,-all",
      `--txt-record=long.example,${LONG.join(",")}`,
      "--ptr-record=9.2.0.192.in-addr.arpa,Name.Example",
    ]);
  });
  afterAll(() => server.stop());
  const dns = () => openResolver({ servers: () => [server.address] });

  test("addresses, also of an alias", async () => {
    const { lookUp } = dns();
    expect(await lookUp("a.example", "A")).toEqual(["192.0.2.1"]);
    expect(await lookUp("A.Example.", "AAAA")).toEqual(["2001:db8::1"]);
    expect([...(await lookUp("two.example", "A"))].sort()).toEqual(["192.0.2.2", "192.0.2.3"]);
    expect(await lookUp("alias.example", "A")).toEqual(["192.0.2.1"]);
  });

  test("names of addresses, mail exchangers, and the strings of a text", async () => {
    const { lookUp, namesOf } = dns();
    expect(await namesOf("192.0.2.9")).toEqual(["name.example"]);
    expect(await namesOf("2001:db8::1")).toEqual(["a.example"]);
    const exchangers = [...(await lookUp("example", "MX"))].sort((a, b) => a.preference - b.preference);
    expect(exchangers).toEqual([
      { preference: 10, host: "mx1.example" },
      { preference: 20, host: "mx2.example" },
    ]);
    expect(await lookUp("t.example", "TXT")).toEqual([["v=spf1 ", "-all"]]);
  });

  test("a response that does not fit into UDP comes by TCP", async () => {
    expect(await dns().lookUp("long.example", "TXT")).toEqual([LONG]);
  });

  test("no such name, no such type, and names that cannot be", async () => {
    const { lookUp, namesOf } = dns();
    expect(await lookUp("missing.example", "A")).toEqual([]);
    expect(await lookUp("t.example", "MX")).toEqual([]);
    expect(await lookUp(`${"x".repeat(64)}.example`, "A")).toEqual([]);
    expect(await lookUp("a..example", "A")).toEqual([]);
    expect(await namesOf("no address")).toEqual([]);
  });

  test("what the server refuses is trouble", async () => {
    const { lookUp } = openResolver({ servers: () => [server.address], limit: 1000 });
    await expect(lookUp("other.invalid-tld", "A")).rejects.toThrow(
      /^unable to look up A of other.invalid-tld in DNS: (refused|server failure) from 127\./,
    );
  });

  test("a server that is not there is passed over, and then asked last", async () => {
    const { lookUp } = openResolver({ servers: () => ["127.0.0.254", server.address] });
    expect(await lookUp("a.example", "A")).toEqual(["192.0.2.1"]);
    const began = performance.now();
    expect(await lookUp("two.example", "AAAA")).toEqual([]);
    expect(performance.now() - began).toBeLessThan(900);
  });
});

describe("lookups with a server that lies", () => {
  let server: HostileDns;
  beforeAll(async () => {
    server = await startHostileDns();
  });
  afterAll(() => server.close());
  beforeEach(() => server.behave(() => {}));
  const dns = (limit = 1500) => openResolver({ servers: () => ["127.0.0.1"], port: server.port, limit });
  const trouble = (why: RegExp) => ({
    asymmetricMatch: (error: unknown) => error instanceof Trouble && why.test(error.message),
  });

  test("what is no response to the query is ignored, and so is what others send", async () => {
    const other = await startHostileDns();
    other.behave(() => {});
    server.behave((query, from, socket) => {
      const id = query.readUInt16BE(0);
      const send = (message: Buffer) => socket.send(message, from.port, from.address);
      for (let i = 1; i < 40; i++) send(responseTo(query, ["192.0.2.66"], { id: (id + i) & 0xffff }));
      const elsewhere = Buffer.from(query);
      elsewhere.writeUInt8((elsewhere[13] ?? 0) ^ 1, 13);
      send(responseTo(elsewhere, ["192.0.2.66"]));
      send(Buffer.alloc(0));
      send(query);
      other.behave((_, __, stranger) =>
        stranger.send(responseTo(query, ["192.0.2.66"]), from.port, from.address),
      );
      const knock = createSocket("udp4").on("error", () => {});
      knock.send(query, other.port, "127.0.0.1", () => knock.close());
      setTimeout(() => send(responseTo(query, ["192.0.2.1"])), 200);
    });
    expect(await dns().lookUp("a.example", "A")).toEqual(["192.0.2.1"]);
    other.close();
  });

  test("ids and ports cannot be guessed", async () => {
    server.behave((query, from, socket) => socket.send(responseTo(query, []), from.port, from.address));
    const { lookUp } = dns();
    for (let i = 0; i < 60; i++) await lookUp(`n${i}.example`, "A");
    const distinct = (key: "id" | "port") => new Set(server.queries.map((query) => query[key])).size;
    expect(distinct("id")).toBeGreaterThan(50);
    expect(distinct("port")).toBeGreaterThan(50);
    const steps = server.queries.map(({ id }, i) => id - (server.queries[i - 1]?.id ?? 0));
    expect(new Set(steps).size).toBeGreaterThan(50);
  });

  test.each([
    ["that is silent", () => {}, /no response from 127\.0\.0\.1$/],
    [
      "of garbage",
      (query: Buffer) =>
        Buffer.concat([query.subarray(0, 2), Buffer.from("8180000100ff0000ffff", "hex"), query.subarray(12)]),
      /an invalid response from/,
    ],
    ["of SERVFAIL", (query: Buffer) => responseTo(query, [], { flags: 0x8182 }), /server failure from/],
    ["that repeats wrong ids", undefined, /too many invalid responses|no response/],
  ])("a server %s is trouble within the limit", async (_, make, why) => {
    server.behave((query, from, socket) => {
      const made = make?.(query);
      if (made) socket.send(made, from.port, from.address);
      for (let i = 0; !make && i < 200; i++) {
        socket.send(
          responseTo(query, ["192.0.2.66"], { id: (query.readUInt16BE(0) + 1) & 0xffff }),
          from.port,
          from.address,
        );
      }
    });
    const began = performance.now();
    await expect(dns().lookUp("a.example", "A")).rejects.toEqual(trouble(why));
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test.each<[string, ((socket: { destroy(): void }) => void)?]>([
    ["closes it", (socket) => socket.destroy()],
    ["says nothing"],
    ["says it is truncated again"],
    ["sends a byte at a time"],
  ])("of a truncated response, a server that %s by TCP is trouble within the limit", async (how, act) => {
    server.behave(
      (query, from, socket) => socket.send(responseTo(query, [], { flags: 0x8380 }), from.port, from.address),
      (socket) => {
        if (act) return act(socket);
        socket.once("data", (query: Buffer) => {
          if (how === "says it is truncated again") {
            socket.write(framed(responseTo(query.subarray(2), [], { flags: 0x8380 })));
          } else if (how === "sends a byte at a time") {
            const timer = setInterval(() => socket.write("\xff"), 20);
            socket.on("close", () => clearInterval(timer));
          }
        });
      },
    );
    const began = performance.now();
    await expect(dns().lookUp("a.example", "A")).rejects.toBeInstanceOf(Trouble);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test("results are kept for their TTL, and concurrent lookups are one query", async () => {
    server.behave((query, from, socket) => {
      setTimeout(
        () => socket.send(responseTo(query, ["192.0.2.1"], { ttl: 1 }), from.port, from.address),
        50,
      );
    });
    const { lookUp } = dns();
    await Promise.all(Array.from({ length: 100 }, () => lookUp("a.example", "A")));
    await lookUp("A.EXAMPLE.", "A");
    expect(server.queries).toHaveLength(1);
    await sleep(1100);
    await lookUp("a.example", "A");
    expect(server.queries).toHaveLength(2);
  });

  test("of many lookups some wait, and no descriptor is left", async () => {
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    let open = 0;
    let most = 0;
    server.behave((query, from, socket) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        socket.send(responseTo(query, ["192.0.2.1"]), from.port, from.address);
      }, 5);
    });
    const { lookUp } = dns(10_000);
    await Promise.all(Array.from({ length: 1000 }, (_, i) => lookUp(`n${i}.example`, "A")));
    expect(most).toBeLessThanOrEqual(200);
    await sleep(100);
    expect(descriptors()).toBeLessThanOrEqual(before + 2);
  });
});
