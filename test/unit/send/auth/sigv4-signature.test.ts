/**
 * Signatures against those that AWS has published, and against AWS's own signer for any request.
 */
import {
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  date,
  dictionary,
  integer,
  oneof,
  string,
} from "fast-check";
import { describe, expect, it } from "vitest";
import {
  sha256Hex,
  sigv4Authorization,
  toAmzDate,
  type AwsCredentials,
} from "../../../../src/send/auth/sigv4-signature.ts";
import { awsAuthorization } from "../../../support/aws-signer.ts";

const credentials: AwsCredentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const timestampMs = Date.UTC(2015, 7, 30, 12, 36);

describe("published signatures", () => {
  // Source: AWS, aws-sig-v4-test-suite.
  it.each([
    ["get-vanilla", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    [
      "get-vanilla-query-order-key-case",
      "/?Param2=value2&Param1=value1",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
  ])("%s", (_, path, signature) => {
    const authorization = sigv4Authorization(
      {
        method: "GET",
        url: new URL(path, "https://example.amazonaws.com"),
        headers: { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z" },
        bodyHash: sha256Hex(""),
      },
      credentials,
      { region: "us-east-1", service: "service", timestampMs },
    );
    expect(authorization).toBe(
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
        `SignedHeaders=host;x-amz-date, Signature=${signature}`,
    );
  });

  it("is that of the example in AWS's documentation", () => {
    const authorization = sigv4Authorization(
      {
        method: "GET",
        url: new URL("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"),
        headers: {
          "content-type": "application/x-www-form-urlencoded; charset=utf-8",
          host: "iam.amazonaws.com",
          "x-amz-date": "20150830T123600Z",
        },
        bodyHash: sha256Hex(""),
      },
      credentials,
      { region: "us-east-1", service: "iam", timestampMs },
    );
    expect(authorization).toMatch(
      /Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7$/,
    );
  });
});

it("signs any request as AWS's own signer does", async () => {
  // AWS's signer puts the query into an object, where this name is lost.
  const name = string({ minLength: 1 }).filter((text) => text !== "__proto__");
  const segment = oneof(constant(""), string()).filter((text) => !/^\.+$/.test(text));
  await assert(
    asyncProperty(
      array(segment, { maxLength: 4 }),
      constantFrom("", "/"),
      dictionary(name, string(), { maxKeys: 4 }),
      string({ unit: "binary-ascii" }).map((text) => text.replace(/[^\x20-\x7e]/g, " ").trim()),
      date({ min: new Date(0), max: new Date("2099-12-31"), noInvalidDate: true }),
      integer({ min: 0, max: 3 }),
      async (segments, slash, query, contentType, when, bodyLength) => {
        const url = new URL("https://aps-workspaces.eu-west-1.amazonaws.com");
        url.pathname = `/${segments.map(encodeURIComponent).join("/")}${segments.length > 0 ? slash : ""}`;
        url.search = Object.entries(query)
          .map((pair) => pair.map(encodeURIComponent).join("="))
          .join("&");
        const body = new Uint8Array(bodyLength).fill(7);
        const bodyHash = sha256Hex(body);
        const headers = {
          host: url.host,
          "content-type": contentType,
          "x-amz-content-sha256": bodyHash,
          "x-amz-date": toAmzDate(when.getTime()),
        };
        const expected = await awsAuthorization(
          { method: "POST", url, headers, body },
          credentials,
          { region: "eu-west-1", service: "aps" },
        );
        const ours = sigv4Authorization({ method: "POST", url, headers, bodyHash }, credentials, {
          region: "eu-west-1",
          service: "aps",
          timestampMs: when.getTime(),
        });
        expect(ours).toBe(expected);
      },
    ),
    { numRuns: 300 },
  );
});
