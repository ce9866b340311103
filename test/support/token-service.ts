/** Answers of AWS's security token service. Source: AWS, STS API reference. */
import type { AwsCredentials } from "../../src/send/auth/sigv4-signature.ts";
import type { FormAnswer, ReceivedForm } from "./form-server.ts";

/** To `AssumeRole` and `AssumeRoleWithWebIdentity`. */
export function temporaryCredentials(
  { form }: ReceivedForm,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  expiration: Date,
): FormAnswer {
  const action = form["Action"];
  return {
    status: 200,
    body: `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>
        <AssumedRoleUser><Arn>${form["RoleArn"]}</Arn><AssumedRoleId>A:plimsoll</AssumedRoleId></AssumedRoleUser>
        <Credentials>
          <AccessKeyId>${accessKeyId}</AccessKeyId>
          <SecretAccessKey>${secretAccessKey}</SecretAccessKey>
          <SessionToken>${sessionToken}</SessionToken>
          <Expiration>${expiration.toISOString()}</Expiration>
        </Credentials>
      </${action}Result></${action}Response>`,
  };
}
