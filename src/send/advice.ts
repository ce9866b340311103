/**
 * What a person can do about an answer that is no matter of the points.
 */

/** By the reason of an outcome. Empty where the outcome's own text says it, as those of the network do. */
export function adviceFor(reason: string): string {
  switch (reason) {
    case "http_401":
    case "http_403":
      return "the user name, password or token was refused";
    case "credentials_refused":
      return "put the credentials or their file right";
    case "http_404":
    case "http_405":
    case "http_410":
      return (
        "nothing takes remote write at this path; for Prometheus it is /api/v1/write, and Prometheus " +
        "must be started with --web.enable-remote-write-receiver; for Mimir it is /api/v1/push"
      );
    case "http_407":
      return "the proxy wants a user name and a password";
    case "unsupported":
      return "use remote write 1.0, or let the protocol be found out";
    default:
      return "";
  }
}
