"""A tour over every operation that the official SDK for Python has.

The client is told where the server is by the environment alone. An operation that the
SDK has and the tour leaves out is a failure, so a new SDK cannot bring one in silence.
"""

import os
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkcsms import v1 as csms
from huaweicloudsdkcsms.v1.region.csms_region import CsmsRegion


class Recorder:
    """Calls the client, and remembers which operations were called."""

    def __init__(self, client):
        self.client = client
        self.called = set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(self.client, name)


def connect():
    credentials = BasicCredentials(os.environ["CLOUD_SDK_AK"], os.environ["CLOUD_SDK_SK"], os.environ["TOUR_PROJECT_ID"])
    return csms.CsmsClient.new_builder().with_credentials(credentials).with_region(CsmsRegion.value_of("cn-north-4")).build()


def operations():
    """Names of the operations: methods of the client that have a request."""
    for name in dir(csms.CsmsClient):
        if hasattr(csms, "".join(part.capitalize() for part in name.split("_")) + "Request"):
            yield name


def equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, want {want!r}")


def refused(call, status, code):
    try:
        call()
    except exceptions.ClientRequestException as e:
        equal((e.status_code, e.error_code), (status, code), "refusal")
        if not e.request_id or not e.error_msg:
            raise AssertionError(f"a refusal without request id or text: {e}")
        return
    raise AssertionError(f"no refusal, want {status} {code}")


def values(client):
    body = csms.CreateSecretRequestBody(name="tour", secret_string="größe <&> ☃", description="d", enterprise_project_id="0")
    secret = client.create_secret(csms.CreateSecretRequest(body=body)).secret
    equal((secret.name, secret.state, secret.secret_type), ("tour", "ENABLED", "COMMON"), "created")
    refused(lambda: client.create_secret(csms.CreateSecretRequest(body=body)), 400, "CSMS.0002")
    equal(client.show_secret(csms.ShowSecretRequest(secret_name="tour")).secret.id, secret.id, "shown")
    update = csms.UpdateSecretRequestBody(description="")
    equal(client.update_secret(csms.UpdateSecretRequest(secret_name="tour", body=update)).secret.description, "", "description")
    version = csms.CreateSecretVersionRequestBody(secret_binary="AAEC", version_stages=["blue"])
    made = client.create_secret_version(csms.CreateSecretVersionRequest(secret_name="tour", body=version)).version_metadata
    equal((made.id, made.version_stages), ("v2", ["blue"]), "version")
    expire = int(time.time() + 3600) * 1000
    client.update_version(csms.UpdateVersionRequest(secret_name="tour", version_id="v2", body=csms.UpdateVersionRequestBody(expire_time=expire)))
    shown = client.show_secret_version(csms.ShowSecretVersionRequest(secret_name="tour", version_id="v2")).version
    equal((shown.secret_binary, shown.version_metadata.expire_time), ("AAEC", expire), "v2")
    latest = client.show_secret_version(csms.ShowSecretVersionRequest(secret_name="tour", version_id="latest")).version
    equal(latest.secret_string, "größe <&> ☃", "latest")
    listed = client.list_secret_versions(csms.ListSecretVersionsRequest(secret_name="tour", limit=10)).version_metadatas
    equal(sorted(v.id for v in listed), ["v1", "v2"], "versions")
    return secret.id


def stages(client):
    moved = csms.UpdateSecretStageRequestBody(version_id="v1")
    client.update_secret_stage(csms.UpdateSecretStageRequest(secret_name="tour", stage_name="blue", body=moved))
    show = csms.ShowSecretStageRequest(secret_name="tour", stage_name="blue")
    equal(client.show_secret_stage(show).stage.version_id, "v1", "stage")
    client.delete_secret_stage(csms.DeleteSecretStageRequest(secret_name="tour", stage_name="blue"))
    refused(lambda: client.show_secret_stage(show), 404, "CSMS.0005")


def tags(client, secret_id):
    key = "owner: team+1 ä"
    client.create_secret_tag(csms.CreateSecretTagRequest(secret_id=secret_id, body=csms.CreateSecretTagRequestBody(tag=csms.TagItem(key=key, value="v"))))
    batch = csms.BatchCreateOrDeleteTagsRequestBody(action="create", tags=[csms.TagItem(key="env", value="test")])
    client.batch_create_or_delete_tags(csms.BatchCreateOrDeleteTagsRequest(secret_id=secret_id, body=batch))
    listed = client.list_secret_tags(csms.ListSecretTagsRequest(secret_id=secret_id)).tags
    equal(sorted((t.key, t.value) for t in listed), [("env", "test"), (key, "v")], "tags")
    equal(sorted(t.key for t in client.list_project_secrets_tags(csms.ListProjectSecretsTagsRequest()).tags), ["env", key], "tags of the project")
    query = csms.ListResourceInstancesRequestBody(action="filter", limit="10", offset="0", tags=[csms.Tag(key="env", values=["test"])])
    found = client.list_resource_instances(csms.ListResourceInstancesRequest(resource_instances="resource_instances", body=query))
    equal([r.resource_name for r in found.resources], ["tour"], "by tag")
    client.delete_secret_tag(csms.DeleteSecretTagRequest(secret_id=secret_id, key=key))
    equal([t.key for t in client.list_secret_tags(csms.ListSecretTagsRequest(secret_id=secret_id)).tags], ["env"], "tags left")


def events(client):
    target = csms.Notification(target_type="SMN", target_id="urn:smn:cn-north-4:p:t", target_name="t")
    body = csms.CreateSecretEventRequestBody(name="nightly", state="ENABLED", event_types=["SECRET_VERSION_CREATED"], notification=target)
    client.create_secret_event(csms.CreateSecretEventRequest(body=body))
    client.update_secret_event(csms.UpdateSecretEventRequest(event_name="nightly", body=csms.UpdateSecretEventRequestBody(
        state="ENABLED", event_types=["SECRET_VERSION_CREATED", "SECRET_DELETED"], notification=target)))
    event = client.show_secret_event(csms.ShowSecretEventRequest(event_name="nightly")).event
    equal((event.state, event.event_types), ("ENABLED", ["SECRET_VERSION_CREATED", "SECRET_DELETED"]), "event")
    equal([e.name for e in client.list_secret_events(csms.ListSecretEventsRequest(limit="10")).events], ["nightly"], "events")
    client.update_secret(csms.UpdateSecretRequest(secret_name="tour", body=csms.UpdateSecretRequestBody(event_subscriptions=["nightly"])))
    listed = client.list_secrets(csms.ListSecretsRequest(event_name="nightly", limit="10")).secrets
    equal([s.name for s in listed], ["tour"], "secrets of an event")
    client.list_notification_records(csms.ListNotificationRecordsRequest())
    client.update_secret(csms.UpdateSecretRequest(secret_name="tour", body=csms.UpdateSecretRequestBody(event_subscriptions=[])))
    client.delete_secret_event(csms.DeleteSecretEventRequest(event_name="nightly"))


def many(client):
    items = [csms.CreateSecretRequestBody(name=name, secret_string="x") for name in ("tour2", "tour")]
    report = client.batch_import_secrets(csms.BatchImportSecretsRequest(body=csms.ImportSecretsRequest(secrets=items)))
    equal((report.total, report.success, report.failed), (2, 1, 1), "import")
    length = csms.CreatePasswordRequestBody(length=40, exclude_punctuation=True)
    equal(len(client.generate_random_password(csms.GenerateRandomPasswordRequest(body=length)).password), 40, "password")
    config = csms.UpdateSecretsConfigRequestBody(checking_secret_strength=True)
    equal(client.update_secrets_config(csms.UpdateSecretsConfigRequest(body=config)).checking_secret_strength, True, "config")
    equal(client.show_secrets_config(csms.ShowSecretsConfigRequest()).checking_secret_strength, True, "config")
    client.check_secrets(csms.CheckSecretsRequest(body=csms.CheckSecretsRequestBody(type="1", data={})))


def people(client, secret_id):
    """Needs the password of the account owner in dev mode, and changes it."""
    users = client.list_users(csms.ListUsersRequest(org_id="", offset=0, limit=10))
    equal((users.total, users.users[0].user_name), (1, "dev"), "users")
    user = client.show_user_detail(csms.ShowUserDetailRequest(user_id=users.users[0].user_id))
    equal((user.user_name, user.disabled), ("dev", False), "user")
    body = csms.GrantSecretReqBody(resource_id=secret_id, type="SECRET", grantee_type="0", grantee_target_id=user.user_id)
    equal(client.create_grants(csms.CreateGrantsRequest(body=body)).data.resource_id, secret_id, "grant")
    client.update_grant(csms.UpdateGrantRequest(resource_id=secret_id, body=body))
    client.list_grants(csms.ListGrantsRequest(resource_id=secret_id))
    client.delete_grant(csms.DeleteGrantRequest(resource_id=secret_id, grantee_user=user.user_id))
    change = csms.ChangeUsersPassword(password="tour-Passw0rd1", old_password="dev-Passw0rd")
    equal(client.update_user_password(csms.UpdateUserPasswordRequest(body=change)).user_id, user.user_id, "password")


def agencies(client):
    show = csms.ShowAgencyRequest(secret_type="RDS-FG")
    equal(client.show_agency(show).agency_granted, "false", "no agencies")
    make = csms.CreateAgencyRequest(body=csms.CreateAgencyRequestBody(secret_type="RDS-FG"))
    made = client.create_agency(make).agencies
    equal([a.agency_name for a in made], ["CSMSAccessFunctionGraph", "FunctionGraphAgencyForRotateRDSByCSMSV3"], "agencies")
    equal([a.agency_id for a in client.create_agency(make).agencies], [a.agency_id for a in made], "agencies again")
    equal(client.show_agency(show).agency_granted, "true", "agencies")


def rotation(client):
    source = client.show_secret_function_templates(csms.ShowSecretFunctionTemplatesRequest(
        secret_type="RDS-FG", secret_sub_type="SingleUser", engine="postgresql")).function_templates
    compile(source, "index.py", "exec")
    refused(lambda: client.rotate_secret(csms.RotateSecretRequest(secret_name="tour")), 400, "CSMS.0002")
    body = csms.CreateSecretRequestBody(
        name="database", secret_string='{"username":"app","password":"x"}', secret_type="RDS-FG",
        rotation_config='{"InstanceId":"i-1","SecretSubType":"SingleUser"}')
    client.create_secret(csms.CreateSecretRequest(body=body))
    task_id = client.rotate_secret(csms.RotateSecretRequest(secret_name="database")).rotation_task_id
    for _ in range(100):
        task = client.list_secret_task(csms.ListSecretTaskRequest(task_id=task_id)).tasks[0]
        if task.task_status != "RUNNING":
            break
        time.sleep(0.1)
    equal((task.task_status, task.task_error_code, task.operate_type, task.attempt_nums), ("FAILED", "ROTATION_TARGET_NOT_FOUND", "MANUAL", 1), "task")
    equal(client.list_secret_task(csms.ListSecretTaskRequest(status="FAILED", secret_name="database", limit=10)).total, 1, "tasks")
    client.delete_secret(csms.DeleteSecretRequest(secret_name="database"))


def the_end(client):
    blob = client.download_secret_blob(csms.DownloadSecretBlobRequest(secret_name="tour")).secret_blob
    schedule = csms.DeleteSecretForScheduleRequestBody(recovery_window_in_days=7)
    secret = client.delete_secret_for_schedule(csms.DeleteSecretForScheduleRequest(secret_name="tour", body=schedule)).secret
    equal(secret.state, "PENDING_DELETE", "scheduled")
    refused(lambda: client.show_secret_version(csms.ShowSecretVersionRequest(secret_name="tour", version_id="v1")), 400, "CSMS.0103")
    secret = client.restore_secret(csms.RestoreSecretRequest(secret_name="tour")).secret
    equal((secret.state, secret.scheduled_delete_time), ("ENABLED", None), "restored")
    refused(lambda: client.restore_secret(csms.RestoreSecretRequest(secret_name="tour")), 400, "CSMS.0108")
    for name in ("tour", "tour2"):
        client.delete_secret(csms.DeleteSecretRequest(secret_name=name))
    refused(lambda: client.show_secret(csms.ShowSecretRequest(secret_name="tour")), 404, "CSMS.0106")
    upload = csms.UploadSecretBlobRequestBody(secret_blob=blob)
    equal(client.upload_secret_blob(csms.UploadSecretBlobRequest(body=upload)).secret.name, "tour", "uploaded")


def main():
    client = Recorder(connect())
    secret_id = values(client)
    stages(client)
    tags(client, secret_id)
    events(client)
    many(client)
    people(client, secret_id)
    agencies(client)
    rotation(client)
    the_end(client)
    left = sorted(set(operations()) - client.called)
    equal(left, [], "operations that the tour leaves out")
    print(f"toured {len(client.called)} operations")


if __name__ == "__main__":
    main()
