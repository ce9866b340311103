/**
 * The bodies of sessions and share links as JSON Schema.
 */
import { roles } from "../../runs/run-repository.ts";
import {
  count,
  maxRunParamLength,
  object,
  type Schema,
  text,
  textOrNull,
  time,
  timeOrNull,
} from "./schemas.ts";

export const newSession: Schema = {
  type: "object",
  additionalProperties: false,
  required: ["token"],
  properties: {
    token: {
      type: "string",
      minLength: 1,
      maxLength: 200,
      description: "of the API, or of a link",
    },
  },
};

export const session: Schema = {
  description: "who is signed in",
  ...object({
    principal: {
      nullable: true,
      description: "null: nobody",
      ...object({
        name: text("of the token"),
        role: { type: "string", enum: [...roles, "run", "share"] },
        runId: { ...count("the one run that it is for"), nullable: true },
        expires: timeOrNull("when it ends by itself"),
      }),
    },
    now: time("the server's clock"),
    version: text("the server's"),
    grafanaUrl: textOrNull("where Grafana is"),
  }),
};

const share = object({
  id: count("number of the link"),
  createdBy: text("name of the token that made it"),
  created: time("when it was made"),
  expires: time("when it ends"),
});

export const shareList: Schema = {
  description: "links that have not ended, without their texts",
  ...object({ shares: { type: "array", items: share } }),
};

export const newShare: Schema = {
  type: "object",
  additionalProperties: false,
  properties: {
    seconds: {
      type: "integer",
      minimum: 60,
      maximum: 90 * 86_400,
      default: 7 * 86_400,
      description: "how long it is good for",
    },
  },
};

export const createdShare: Schema = {
  description: "the link is shown here and nowhere else",
  ...object({ share, url: text("opens the run; whoever has it may look at that run") }),
};

export const shareParams: Schema = object({
  id: {
    type: "string",
    minLength: 1,
    maxLength: maxRunParamLength,
    description: "number or testid of the run",
  },
  share: { type: "integer", minimum: 1, maximum: 2_147_483_647 },
});
