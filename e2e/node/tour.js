// The core of the official SDK for Node signs, sends and reads; the package for CSMS is not
// published, so what it would generate, paths and bodies, stands here. The core knows no
// environment for the endpoint, so the program is told it (clients.md 3.5). It sends the two
// bytes {} with every GET, and signs Host.
"use strict";

const assert = require("node:assert/strict");
const { BasicCredentials } = require("@huaweicloud/huaweicloud-sdk-core");
const { ClientBuilder } = require("@huaweicloud/huaweicloud-sdk-core/ClientBuilder");

const { COFFER_ENDPOINT, CLOUD_SDK_AK, CLOUD_SDK_SK, TOUR_PROJECT_ID } = process.env;

function connect() {
  const credentials = new BasicCredentials().withAk(CLOUD_SDK_AK).withSk(CLOUD_SDK_SK).withProjectId(TOUR_PROJECT_ID);
  return new ClientBuilder((http) => http).withCredential(credentials).withEndpoint(COFFER_ENDPOINT).build();
}

// call sends what a generated client would, with its placeholders.
function call(client, method, url, { path = {}, query = {}, body } = {}) {
  const options = {
    method, url: "/v1/{project_id}" + url, contentType: "application/json",
    queryParams: query, pathParams: path, headers: { "Content-Type": "application/json" },
  };
  if (body !== undefined) {
    options.data = body;
  }
  return client.sendRequest(options);
}

async function refused(promise, status, code) {
  try {
    await promise;
  } catch (e) {
    assert.deepEqual([e.httpStatusCode, e.errorCode], [status, code], JSON.stringify(e));
    assert.ok(e.requestId, "a refusal without a request id");
    return;
  }
  assert.fail(`no refusal, want ${status} ${code}`);
}

async function values(client) {
  const body = { name: "node", secret_string: "größe <&> ☃" };
  const { secret } = await call(client, "POST", "/secrets", { body });
  assert.equal(secret.state, "ENABLED");
  await refused(call(client, "POST", "/secrets", { body }), 400, "CSMS.0002");
  const named = { path: { secret_name: "node" } };
  assert.equal((await call(client, "GET", "/secrets/{secret_name}", named)).secret.id, secret.id);
  const made = await call(client, "POST", "/secrets/{secret_name}/versions", { ...named, body: { secret_binary: "AAEC", version_stages: ["blue"] } });
  assert.equal(made.version_metadata.id, "v2");
  const latest = { path: { secret_name: "node", version_id: "latest" } };
  assert.equal((await call(client, "GET", "/secrets/{secret_name}/versions/{version_id}", latest)).version.secret_string, body.secret_string);
  const page = await call(client, "GET", "/secrets/{secret_name}/versions", { ...named, query: { limit: 1 } });
  assert.equal(page.version_metadatas.length, 1);
  return secret.id;
}

async function stages(client) {
  const blue = { path: { secret_name: "node", stage_name: "blue" } };
  await call(client, "PUT", "/secrets/{secret_name}/stages/{stage_name}", { ...blue, body: { version_id: "v1" } });
  assert.equal((await call(client, "GET", "/secrets/{secret_name}/stages/{stage_name}", blue)).stage.version_id, "v1");
  await call(client, "DELETE", "/secrets/{secret_name}/stages/{stage_name}", blue);
  await refused(call(client, "GET", "/secrets/{secret_name}/stages/{stage_name}", blue), 404, "CSMS.0005");
}

async function tags(client, id) {
  const secret = { path: { secret_id: id } };
  await call(client, "POST", "/csms/{secret_id}/tags", { ...secret, body: { tag: { key: "owner", value: "ä b" } } });
  await call(client, "POST", "/csms/{secret_id}/tags/action", { ...secret, body: { action: "create", tags: [{ key: "env", value: "x" }] } });
  assert.equal((await call(client, "GET", "/csms/{secret_id}/tags", secret)).tags.length, 2);
  await call(client, "DELETE", "/csms/{secret_id}/tags/{key}", { path: { secret_id: id, key: "owner" } });
  assert.equal((await call(client, "GET", "/csms/{secret_id}/tags", secret)).tags.length, 1);
}

async function theEnd(client) {
  const named = { path: { secret_name: "node" } };
  const gone = await call(client, "POST", "/secrets/{secret_name}/scheduled-deleted-tasks/create", { ...named, body: { recovery_window_in_days: 7 } });
  assert.equal(gone.secret.state, "PENDING_DELETE");
  const back = await call(client, "POST", "/secrets/{secret_name}/scheduled-deleted-tasks/cancel", named);
  assert.equal(back.secret.state, "ENABLED");
  await refused(call(client, "POST", "/secrets/{secret_name}/scheduled-deleted-tasks/cancel", named), 400, "CSMS.0108");
  await call(client, "DELETE", "/secrets/{secret_name}", named);
  await refused(call(client, "GET", "/secrets/{secret_name}", named), 404, "CSMS.0106");
}

async function main() {
  const client = connect();
  const id = await values(client);
  await stages(client);
  await tags(client, id);
  await theEnd(client);
  console.log("toured");
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
