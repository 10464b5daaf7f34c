package com.huaweicloud.sdk.test;

import com.huaweicloud.sdk.core.auth.BasicCredentials;
import com.huaweicloud.sdk.core.exception.ServiceResponseException;
import com.huaweicloud.sdk.csms.v1.CsmsClient;
import com.huaweicloud.sdk.csms.v1.model.*;
import com.huaweicloud.sdk.csms.v1.region.CsmsRegion;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A tour over every operation that the official SDK for Java has. The client is told where the
 * server is by the environment alone. An operation that the SDK has and the tour leaves out is a
 * failure, so a new SDK cannot bring one in silence.
 */
public class Tour {
    private final CsmsClient client = CsmsClient.newBuilder()
            .withCredential(new BasicCredentials()
                    .withAk(System.getenv("CLOUD_SDK_AK"))
                    .withSk(System.getenv("CLOUD_SDK_SK"))
                    .withProjectId(System.getenv("TOUR_PROJECT_ID")))
            .withRegion(CsmsRegion.valueOf("cn-north-4"))
            .build();
    private final Set<String> called = new TreeSet<>();

    public static void main(String[] args) throws Exception {
        Tour tour = new Tour();
        String id = tour.values();
        tour.stages();
        tour.tags(id);
        tour.events();
        tour.many();
        tour.people(id);
        tour.agencies();
        tour.rotation();
        tour.theEnd();
        Set<String> left = operations();
        left.removeAll(tour.called);
        equal(left, Set.of(), "operations that the tour leaves out");
        System.out.println("toured " + tour.called.size() + " operations");
    }

    /** Names of the operations: methods of the client that take a request. */
    private static Set<String> operations() {
        Set<String> names = new TreeSet<>();
        for (Method m : CsmsClient.class.getDeclaredMethods()) {
            Class<?>[] in = m.getParameterTypes();
            if (in.length == 1 && in[0].getSimpleName().endsWith("Request") && !m.getName().endsWith("Invoker")) {
                names.add(m.getName());
            }
        }
        return names;
    }

    /** Calls an operation by its name, and remembers that it was called. */
    @SuppressWarnings("unchecked")
    private <T> T call(String operation, Object request) {
        called.add(operation);
        try {
            return (T) CsmsClient.class.getMethod(operation, request.getClass()).invoke(client, request);
        } catch (java.lang.reflect.InvocationTargetException e) {
            throw (RuntimeException) e.getCause();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private void refused(String operation, Object request, int status, String code) {
        try {
            call(operation, request);
        } catch (ServiceResponseException e) {
            equal(e.getHttpStatusCode() + " " + e.getErrorCode(), status + " " + code, operation);
            if (e.getRequestId() == null || e.getErrorMsg() == null) {
                throw new AssertionError(operation + ": a refusal without request id or text");
            }
            return;
        }
        throw new AssertionError(operation + ": no refusal, want " + status + " " + code);
    }

    private static void equal(Object got, Object want, String what) {
        if (!want.equals(got)) {
            throw new AssertionError(what + ": " + got + ", want " + want);
        }
    }

    private String values() {
        CreateSecretRequestBody body = new CreateSecretRequestBody().withName("tour").withSecretString("größe <&> ☃").withDescription("d");
        Secret secret = this.<CreateSecretResponse>call("createSecret", new CreateSecretRequest().withBody(body)).getSecret();
        equal(secret.getState().toString(), "ENABLED", "created");
        refused("createSecret", new CreateSecretRequest().withBody(body), 400, "CSMS.0002");
        equal(this.<ShowSecretResponse>call("showSecret", new ShowSecretRequest().withSecretName("tour")).getSecret().getId(), secret.getId(), "shown");
        UpdateSecretRequest update = new UpdateSecretRequest().withSecretName("tour").withBody(new UpdateSecretRequestBody().withDescription(""));
        equal(this.<UpdateSecretResponse>call("updateSecret", update).getSecret().getDescription(), "", "description");
        CreateSecretVersionRequest version = new CreateSecretVersionRequest().withSecretName("tour")
                .withBody(new CreateSecretVersionRequestBody().withSecretBinary("AAEC").withVersionStages(List.of("blue")));
        equal(this.<CreateSecretVersionResponse>call("createSecretVersion", version).getVersionMetadata().getId(), "v2", "version");
        long expire = (System.currentTimeMillis() / 1000 + 3600) * 1000;
        call("updateVersion", new UpdateVersionRequest().withSecretName("tour").withVersionId("v2").withBody(new UpdateVersionRequestBody().withExpireTime(expire)));
        Version shown = this.<ShowSecretVersionResponse>call("showSecretVersion", new ShowSecretVersionRequest().withSecretName("tour").withVersionId("v2")).getVersion();
        equal(shown.getSecretBinary() + " " + shown.getVersionMetadata().getExpireTime(), "AAEC " + expire, "v2");
        shown = this.<ShowSecretVersionResponse>call("showSecretVersion", new ShowSecretVersionRequest().withSecretName("tour").withVersionId("latest")).getVersion();
        equal(shown.getSecretString(), "größe <&> ☃", "latest");
        equal(this.<ListSecretVersionsResponse>call("listSecretVersions", new ListSecretVersionsRequest().withSecretName("tour")).getVersionMetadatas().size(), 2, "versions");
        return secret.getId();
    }

    private void stages() {
        call("updateSecretStage", new UpdateSecretStageRequest().withSecretName("tour").withStageName("blue").withBody(new UpdateSecretStageRequestBody().withVersionId("v1")));
        ShowSecretStageRequest show = new ShowSecretStageRequest().withSecretName("tour").withStageName("blue");
        equal(this.<ShowSecretStageResponse>call("showSecretStage", show).getStage().getVersionId(), "v1", "stage");
        call("deleteSecretStage", new DeleteSecretStageRequest().withSecretName("tour").withStageName("blue"));
        refused("showSecretStage", show, 404, "CSMS.0005");
    }

    private void tags(String id) {
        String key = "owner: team+1 ä";
        call("createSecretTag", new CreateSecretTagRequest().withSecretId(id).withBody(new CreateSecretTagRequestBody().withTag(new TagItem().withKey(key).withValue("v"))));
        call("batchCreateOrDeleteTags", new BatchCreateOrDeleteTagsRequest().withSecretId(id).withBody(new BatchCreateOrDeleteTagsRequestBody()
                .withAction("create").withTags(List.of(new TagItem().withKey("env").withValue("test")))));
        equal(this.<ListSecretTagsResponse>call("listSecretTags", new ListSecretTagsRequest().withSecretId(id)).getTags().size(), 2, "tags");
        equal(this.<ListProjectSecretsTagsResponse>call("listProjectSecretsTags", new ListProjectSecretsTagsRequest()).getTags().size(), 2, "tags of the project");
        ListResourceInstancesRequest query = new ListResourceInstancesRequest().withResourceInstances("resource_instances").withBody(new ListResourceInstancesRequestBody()
                .withAction("filter").withLimit("10").withOffset("0").withTags(List.of(new Tag().withKey("env").withValues(List.of("test")))));
        equal(this.<ListResourceInstancesResponse>call("listResourceInstances", query).getResources().get(0).getResourceName(), "tour", "by tag");
        call("deleteSecretTag", new DeleteSecretTagRequest().withSecretId(id).withKey(key));
        equal(this.<ListSecretTagsResponse>call("listSecretTags", new ListSecretTagsRequest().withSecretId(id)).getTags().get(0).getKey(), "env", "tag left");
    }

    private void events() {
        Notification target = new Notification().withTargetType("SMN").withTargetId("urn:smn:cn-north-4:p:t").withTargetName("t");
        call("createSecretEvent", new CreateSecretEventRequest().withBody(new CreateSecretEventRequestBody().withName("nightly")
                .withState(CreateSecretEventRequestBody.StateEnum.ENABLED).withNotification(target)
                .withEventTypes(Arrays.asList(CreateSecretEventRequestBody.EventTypesEnum.SECRET_VERSION_CREATED))));
        call("updateSecretEvent", new UpdateSecretEventRequest().withEventName("nightly").withBody(new UpdateSecretEventRequestBody()
                .withState(UpdateSecretEventRequestBody.StateEnum.DISABLED).withNotification(target)));
        equal(this.<ShowSecretEventResponse>call("showSecretEvent", new ShowSecretEventRequest().withEventName("nightly")).getEvent().getState().toString(), "DISABLED", "event");
        equal(this.<ListSecretEventsResponse>call("listSecretEvents", new ListSecretEventsRequest().withLimit("10")).getEvents().size(), 1, "events");
        call("updateSecret", new UpdateSecretRequest().withSecretName("tour").withBody(new UpdateSecretRequestBody().withEventSubscriptions(List.of("nightly"))));
        equal(this.<ListSecretsResponse>call("listSecrets", new ListSecretsRequest().withEventName("nightly").withLimit("10")).getSecrets().size(), 1, "secrets of an event");
        call("listNotificationRecords", new ListNotificationRecordsRequest());
        call("updateSecret", new UpdateSecretRequest().withSecretName("tour").withBody(new UpdateSecretRequestBody().withEventSubscriptions(List.of())));
        call("deleteSecretEvent", new DeleteSecretEventRequest().withEventName("nightly"));
    }

    private void many() {
        ImportSecretsRequest items = new ImportSecretsRequest().withSecrets(List.of(
                new CreateSecretRequestBody().withName("tour2").withSecretString("x"), new CreateSecretRequestBody().withName("tour").withSecretString("x")));
        BatchImportSecretsResponse report = call("batchImportSecrets", new BatchImportSecretsRequest().withBody(items));
        equal(report.getTotal() + " " + report.getSuccess() + " " + report.getFailed(), "2 1 1", "import");
        CreatePasswordRequestBody length = new CreatePasswordRequestBody().withLength(40).withExcludePunctuation(true);
        equal(this.<GenerateRandomPasswordResponse>call("generateRandomPassword", new GenerateRandomPasswordRequest().withBody(length)).getPassword().length(), 40, "password");
    }

    /** Needs the password of the account owner in dev mode, and changes it. */
    private void people(String secretId) {
        ListUsersResponse users = call("listUsers", new ListUsersRequest().withOrgId("").withOffset(0).withLimit(10));
        String id = users.getUsers().get(0).getUserId();
        equal(this.<ShowUserDetailResponse>call("showUserDetail", new ShowUserDetailRequest().withUserId(id)).getUserName(), "dev", "user");
        GrantSecretReqBody body = new GrantSecretReqBody().withResourceId(secretId).withType("SECRET").withGranteeType("0").withGranteeTargetId(id);
        equal(this.<CreateGrantsResponse>call("createGrants", new CreateGrantsRequest().withBody(body)).getData().getResourceId(), secretId, "grant");
        call("updateGrant", new UpdateGrantRequest().withResourceId(secretId).withBody(body));
        call("listGrants", new ListGrantsRequest().withResourceId(secretId));
        call("deleteGrant", new DeleteGrantRequest().withResourceId(secretId).withGranteeUser(id));
        ChangeUsersPassword change = new ChangeUsersPassword().withPassword("tour-Passw0rd1").withOldPassword("dev-Passw0rd");
        equal(this.<UpdateUserPasswordResponse>call("updateUserPassword", new UpdateUserPasswordRequest().withBody(change)).getUserId(), id, "password");
    }

    private void agencies() {
        ShowAgencyRequest show = new ShowAgencyRequest().withSecretType(ShowAgencyRequest.SecretTypeEnum.RDS_FG);
        equal(this.<ShowAgencyResponse>call("showAgency", show).getAgencyGranted(), "false", "no agencies");
        CreateAgencyRequest make = new CreateAgencyRequest().withBody(
                new CreateAgencyRequestBody().withSecretType(CreateAgencyRequestBody.SecretTypeEnum.RDS_FG));
        List<Agency> made = this.<CreateAgencyResponse>call("createAgency", make).getAgencies();
        equal(made.get(0).getAgencyName(), "CSMSAccessFunctionGraph", "agency of CSMS");
        equal(made.get(1).getAgencyName(), "FunctionGraphAgencyForRotateRDSByCSMSV3", "agency of the function");
        equal(this.<CreateAgencyResponse>call("createAgency", make).getAgencies(), made, "agencies again");
        equal(this.<ShowAgencyResponse>call("showAgency", show).getAgencyGranted(), "true", "agencies");
    }

    private void rotation() throws InterruptedException {
        ShowSecretFunctionTemplatesRequest template = new ShowSecretFunctionTemplatesRequest()
                .withSecretType(ShowSecretFunctionTemplatesRequest.SecretTypeEnum.GAUSSDB_FG)
                .withSecretSubType(ShowSecretFunctionTemplatesRequest.SecretSubTypeEnum.SINGLEUSER);
        String source = this.<ShowSecretFunctionTemplatesResponse>call("showSecretFunctionTemplates", template).getFunctionTemplates();
        equal(source.contains("def handler("), true, "template");
        RotateSecretRequest rotate = new RotateSecretRequest().withSecretName("tour");
        refused("rotateSecret", rotate, 400, "CSMS.0002");
        call("createSecret", new CreateSecretRequest().withBody(new CreateSecretRequestBody().withName("database")
                .withSecretString("{\"username\":\"app\",\"password\":\"x\"}").withSecretType(CreateSecretRequestBody.SecretTypeEnum.RDS_FG)
                .withRotationConfig("{\"InstanceId\":\"i-1\",\"SecretSubType\":\"SingleUser\"}")));
        String id = this.<RotateSecretResponse>call("rotateSecret", rotate.withSecretName("database")).getRotationTaskId();
        ListSecretTaskRequest list = new ListSecretTaskRequest().withTaskId(id);
        for (int i = 0; i < 100 && this.<ListSecretTaskResponse>call("listSecretTask", list).getTasks().get(0).getTaskStatus().equals("RUNNING"); i++) {
            Thread.sleep(100);
        }
        equal(this.<ListSecretTaskResponse>call("listSecretTask", list).getTasks().get(0).getTaskErrorCode(), "ROTATION_TARGET_NOT_FOUND", "task");
        call("deleteSecret", new DeleteSecretRequest().withSecretName("database"));
    }

    private void theEnd() {
        String blob = this.<DownloadSecretBlobResponse>call("downloadSecretBlob", new DownloadSecretBlobRequest().withSecretName("tour")).getSecretBlob();
        DeleteSecretForScheduleRequest schedule = new DeleteSecretForScheduleRequest().withSecretName("tour")
                .withBody(new DeleteSecretForScheduleRequestBody().withRecoveryWindowInDays(7));
        equal(this.<DeleteSecretForScheduleResponse>call("deleteSecretForSchedule", schedule).getSecret().getState().toString(), "PENDING_DELETE", "scheduled");
        refused("showSecretVersion", new ShowSecretVersionRequest().withSecretName("tour").withVersionId("v1"), 400, "CSMS.0103");
        RestoreSecretRequest restore = new RestoreSecretRequest().withSecretName("tour");
        equal(this.<RestoreSecretResponse>call("restoreSecret", restore).getSecret().getState().toString(), "ENABLED", "restored");
        refused("restoreSecret", restore, 400, "CSMS.0108");
        for (String name : List.of("tour", "tour2")) {
            call("deleteSecret", new DeleteSecretRequest().withSecretName(name));
        }
        refused("showSecret", new ShowSecretRequest().withSecretName("tour"), 404, "CSMS.0106");
        UploadSecretBlobRequest upload = new UploadSecretBlobRequest().withBody(new UploadSecretBlobRequestBody().withSecretBlob(blob));
        equal(this.<UploadSecretBlobResponse>call("uploadSecretBlob", upload).getSecret().getName(), "tour", "uploaded");
    }
}
