"""Drives a simulator with the AWS CLI and boto3, independent AWS clients, and checks what they make of its answers.

The environment names the simulator: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, with the profiles payments-prod,
plants-eu and shared-core. Prints "ok" as its last line and exits 0 if everything holds.
"""

import http.client
import itertools
import json
import os
import ssl
import subprocess
import sys
import tempfile
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.exceptions

REGIONS = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2", "ap-northeast-1"]


def client(service, profile, region="eu-central-1"):
    return boto3.Session(profile_name=profile, region_name=region).client(service)


def refused(call):
    """Code and text of a call that must fail."""
    try:
        call()
    except botocore.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["RequestId"], error.response
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("the call should have failed")


def cli(*arguments):
    """The JSON answer of an AWS CLI command."""
    command = [sys.executable, "-m", "awscli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return json.loads(done.stdout)


def inventory():
    total, hybrid = 0, 0
    for profile in ["payments-prod", "plants-eu", "shared-core"]:
        for region in REGIONS:
            ssm = client("ssm", profile, region)
            if (profile, region) == ("shared-core", "ap-northeast-1"):
                code, text = refused(ssm.describe_instance_information)
                assert code == "AccessDeniedException" and "service control policy" in text, text
                continue
            small = ssm.get_paginator("describe_instance_information").paginate(PaginationConfig={"PageSize": 50})
            information = [n for page in small for n in page["InstanceInformationList"]]
            large = ssm.get_paginator("describe_instance_properties").paginate(PaginationConfig={"PageSize": 1000})
            properties = [n for page in large for n in page["InstanceProperties"]]
            assert {n["InstanceId"] for n in information} == {n["InstanceId"] for n in properties}
            total += len(information)
            hybrid += sum(n["ResourceType"] == "ManagedInstance" for n in information)
            assert all(n["LastPingDateTime"].tzinfo for n in information)
    assert (total, hybrid) == (1284, 212), (total, hybrid)


def filters():
    ssm = client("ssm", "payments-prod")
    pages = ssm.get_paginator("describe_instance_information").paginate(
        Filters=[{"Key": "PlatformTypes", "Values": ["Windows"]}, {"Key": "PingStatus", "Values": ["Online"]}],
        PaginationConfig={"PageSize": 5},
    )
    nodes = [n for page in pages for n in page["InstanceInformationList"]]
    assert len(nodes) > 5
    assert all(n["PlatformType"] == "Windows" and n["PingStatus"] == "Online" for n in nodes)
    old = ssm.describe_instance_properties(
        FiltersWithOperator=[{"Key": "AgentVersion", "Values": ["3.1.1374.0"], "Operator": "LessThan"}]
    )["InstanceProperties"]
    assert old and all(n["AgentVersion"] == "3.0.1390.0" for n in old)
    code, _ = refused(lambda: ssm.describe_instance_information(Filters=[{"Key": "Colour", "Values": ["red"]}]))
    assert code == "InvalidFilterKey", code
    code, _ = refused(lambda: ssm.describe_instance_information(NextToken="nonsense"))
    assert code == "InvalidNextToken", code


def settings():
    path = "/ssm/managed-instance/activation-tier"
    for profile, account, tier in [("payments-prod", "111122223333", "advanced"), ("plants-eu", "444455556666", "standard")]:
        arn = f"arn:aws:ssm:eu-central-1:{account}:servicesetting{path}"
        for setting in (path, arn):
            answer = client("ssm", profile).get_service_setting(SettingId=setting)["ServiceSetting"]
            assert answer["SettingValue"] == tier, answer
            assert answer["ARN"] == arn, answer


def sessions():
    ssm = client("ssm", "payments-prod")
    node = "i-0c93f5b27ae1d4068"
    assert ssm.get_connection_status(Target=node)["Status"] == "connected"
    started = ssm.start_session(Target=node, Reason="interoperability")
    scheme = "wss" if ssm.meta.endpoint_url.startswith("https:") else "ws"
    assert started["StreamUrl"].startswith(f"{scheme}://127.0.0.1:") and started["TokenValue"], "grant"
    resumed = ssm.resume_session(SessionId=started["SessionId"])
    assert resumed["TokenValue"] != started["TokenValue"]
    active = ssm.describe_sessions(State="Active")["Sessions"]
    assert [s["SessionId"] for s in active] == [started["SessionId"]], active
    assert active[0]["Reason"] == "interoperability" and active[0]["StartDate"].tzinfo
    assert ssm.terminate_session(SessionId=started["SessionId"])["SessionId"] == started["SessionId"]
    assert not ssm.describe_sessions(
        State="Active", Filters=[{"key": "Status", "value": "Connected"}]
    )["Sessions"]
    code, text = refused(lambda: ssm.start_session(Target="i-00000000000000000"))
    assert (code, text) == ("TargetNotConnected", "i-00000000000000000 is not connected."), (code, text)
    plants = client("ssm", "plants-eu")
    code, text = refused(lambda: plants.start_session(Target="mi-03be7a5c19d842f06"))
    assert code == "BadRequest" and text.startswith("Enable advanced-instances tier"), (code, text)
    code, _ = refused(lambda: ssm.start_session(Target=node, DocumentName="Corp-Unknown"))
    assert code == "InvalidDocument", code
    code, _ = refused(lambda: ssm.resume_session(SessionId="nobody-0123"))
    assert code == "DoesNotExistException", code


def ca_bundle():
    """The authority the profiles name; None without TLS."""
    return boto3.Session(profile_name="payments-prod")._session.get_config_variable("ca_bundle")


def upgrade(url, headers):
    """HTTP status of a WebSocket upgrade."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=ca_bundle())
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=30, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    sent = {**headers, "Connection": "Upgrade", "Upgrade": "websocket"}
    sent.update({"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    connection.request("GET", f"{parts.path}?{parts.query}", headers=sent)
    status = connection.getresponse().status
    connection.close()
    return status


def signed_upgrade():
    """botocore's signatures of the upgrade, in headers and in the query, are verified."""
    keys = boto3.Session(profile_name="payments-prod").get_credentials()
    ssm = client("ssm", "payments-prod")
    started = ssm.start_session(Target="i-0c93f5b27ae1d4068")
    resumed = ssm.resume_session(SessionId=started["SessionId"])
    for stream in (started["StreamUrl"], resumed["StreamUrl"]):
        url = "http" + stream.removeprefix("ws")
        for scheme in (botocore.auth.SigV4Auth, botocore.auth.SigV4QueryAuth):
            for service, expected in (("ssmmessages", 101), ("ssm", 403)):
                request = botocore.awsrequest.AWSRequest("GET", url)
                scheme(keys, service, "eu-central-1").add_auth(request)
                prepared = request.prepare()
                headers = {name: value for name, value in prepared.headers.items() if name.lower() != "host"}
                status = upgrade(prepared.url, headers)
                assert status == expected, (scheme.__name__, service, status)
    ssm.terminate_session(SessionId=started["SessionId"])


def instances():
    ec2 = client("ec2", "payments-prod")
    pages = ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 100})
    found = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
    assert len(found) == 354, len(found)
    by_name = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["pay-api-03"]}])
    instance = by_name["Reservations"][0]["Instances"][0]
    tags = {t["Key"]: t["Value"] for t in instance["Tags"]}
    assert instance["PrivateIpAddress"] == "10.20.4.23" and tags["env"] == "prod", instance
    assert instance["State"]["Name"] == "running" and instance["LaunchTime"].tzinfo
    code, _ = refused(lambda: ec2.describe_instances(InstanceIds=["i-00000000000000000"]))
    assert code == "InvalidInstanceID.NotFound", code


def identity():
    answer = client("sts", "plants-eu").get_caller_identity()
    assert answer["Account"] == "444455556666", answer
    assert answer["Arn"] == "arn:aws:sts::444455556666:assumed-role/FleetOperator/mika.sato", answer


def wrong_secret():
    keys = boto3.Session(profile_name="payments-prod").get_credentials().get_frozen_credentials()
    session = boto3.Session(
        aws_access_key_id=keys.access_key,
        aws_secret_access_key="not-the-secret",
        aws_session_token=keys.token,
        region_name="eu-central-1",
    )
    endpoint = boto3.Session(profile_name="payments-prod").client("ssm").meta.endpoint_url
    ssm = session.client("ssm", endpoint_url=endpoint, verify=ca_bundle())
    assert refused(ssm.describe_instance_information)[0] == "InvalidSignatureException"
    sts = session.client("sts", endpoint_url=endpoint, verify=ca_bundle())
    assert refused(sts.get_caller_identity)[0] == "SignatureDoesNotMatch"
    ec2 = session.client("ec2", endpoint_url=endpoint, verify=ca_bundle())
    assert refused(ec2.describe_instances)[0] == "AuthFailure"


def command_line():
    profile = ["--profile", "payments-prod"]
    nodes = cli("ssm", "describe-instance-information", *profile)["InstanceInformationList"]
    assert len(nodes) == 418, len(nodes)
    lost = cli(
        "ssm", "describe-instance-information", "--filters", "Key=PingStatus,Values=ConnectionLost", *profile
    )["InstanceInformationList"]
    assert len(lost) == 12, len(lost)
    nodes = cli("ssm", "describe-instance-properties", *profile)["InstanceProperties"]
    assert len(nodes) == 418, len(nodes)
    setting = cli("ssm", "get-service-setting", "--setting-id", "/ssm/managed-instance/activation-tier", *profile)
    assert setting["ServiceSetting"]["SettingValue"] == "advanced", setting
    reservations = cli("ec2", "describe-instances", *profile)["Reservations"]
    assert len(reservations) == 354, len(reservations)
    assert cli("sts", "get-caller-identity", *profile)["Account"] == "111122223333"
    ended = cli("ssm", "describe-sessions", "--state", "History", *profile)["Sessions"]
    # Those from before the start have such numbers.
    ended_now = [s["SessionId"] for s in ended if not s["SessionId"].rsplit("-", 1)[1].startswith("000000")]
    assert len(ended_now) == 2, ended_now


def cli_refused(*arguments):
    """What an AWS CLI command that must fail says."""
    command = [sys.executable, "-m", "awscli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0, (arguments, done.stdout)
    return done.stderr


def preferences(idle):
    """Session preferences as the console's first save writes them."""
    return {
        "schemaVersion": "1.0",
        "description": "Session settings of this Region",
        "sessionType": "Standard_Stream",
        "inputs": {
            "s3BucketName": "",
            "s3KeyPrefix": "",
            "s3EncryptionEnabled": True,
            "cloudWatchLogGroupName": "",
            "cloudWatchEncryptionEnabled": True,
            "cloudWatchStreamingEnabled": False,
            "kmsKeyId": "",
            "runAsEnabled": False,
            "runAsDefaultUser": "",
            "idleSessionTimeout": str(idle),
            "maxSessionDuration": "",
            "shellProfile": {"windows": "", "linux": ""},
        },
    }


def documents():
    """The life of session documents, typed as administrators type it."""
    profile = ["--profile", "payments-prod", "--region", "eu-west-1"]
    name = "SSM-SessionManagerRunShell"
    with tempfile.TemporaryDirectory() as directory:
        files = itertools.count()

        def content(value):
            path = os.path.join(directory, f"{next(files)}.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(value if isinstance(value, str) else json.dumps(value, indent=2))
            return f"file://{path}"

        def create(name, value, *more):
            return ("ssm", "create-document", "--name", name, "--content", content(value), *more, *profile)

        def update(name, value, version="$LATEST"):
            return ("ssm", "update-document", "--name", name, "--content", content(value), "--document-version", version, *profile)

        session = ("--document-type", "Session")
        assert "(InvalidDocument)" in cli_refused("ssm", "get-document", "--name", name, *profile)
        made = cli(*create(name, preferences(20), *session, "--document-format", "JSON"))["DocumentDescription"]
        assert (made["DocumentVersion"], made["DefaultVersion"], made["DocumentType"]) == ("1", "1", "Session"), made
        assert len(made["Hash"]) == 64 and made["HashType"] == "Sha256", made
        assert "(DocumentAlreadyExists)" in cli_refused(*create(name, preferences(30), *session))
        changed = cli(*update(name, preferences(30)))["DocumentDescription"]
        assert (changed["LatestVersion"], changed["DefaultVersion"]) == ("2", "1"), changed
        assert "(DuplicateDocumentContent)" in cli_refused(*update(name, preferences(30)))
        assert "(InvalidDocumentVersion)" in cli_refused(*update(name, preferences(40), "1"))
        read = cli("ssm", "get-document", "--name", name, *profile)
        assert read["DocumentVersion"] == "1" and json.loads(read["Content"]) == preferences(20), read
        read = cli("ssm", "get-document", "--name", name, "--document-version", "$LATEST", *profile)
        assert json.loads(read["Content"]) == preferences(30), read
        moved = cli("ssm", "update-document-default-version", "--name", name, "--document-version", "2", *profile)
        assert moved["Description"] == {"Name": name, "DefaultVersion": "2"}, moved
        assert "(InvalidDocumentVersion)" in cli_refused(
            "ssm", "update-document-default-version", "--name", name, "--document-version", "9", *profile
        )
        versions = cli("ssm", "list-document-versions", "--name", name, *profile)["DocumentVersions"]
        assert [(v["DocumentVersion"], v["IsDefaultVersion"]) for v in versions] == [("2", True), ("1", False)], versions

        # What is no session document, or has no name for one.
        assert "(InvalidDocumentContent)" in cli_refused(*create("Corp-Bad", preferences(61), *session))
        assert "(InvalidDocumentContent)" in cli_refused(*create("Corp-Bad", "no document", *session))
        assert "(InvalidDocumentSchemaVersion)" in cli_refused(
            *create("Corp-Bad", {**preferences(20), "schemaVersion": "2.2"}, *session)
        )
        assert "(MaxDocumentSizeExceeded)" in cli_refused(
            *create("Corp-Bad", {**preferences(20), "description": "x" * 65536}, *session)
        )
        assert "(ValidationException)" in cli_refused(*create("AWS-Mine", preferences(20), *session))
        assert "(ValidationException)" in cli_refused(*create("no name", preferences(20), *session))

        # YAML is kept as it is written.
        yaml = "---\nschemaVersion: '1.0'\nsessionType: Port\nparameters:\n  port:\n    type: String\n    default: '80'\n"
        yaml += "properties:\n  portNumber: '{{ port }}'\n  type: LocalPortForwarding\n"
        made = cli(*create("Corp-Port", yaml, *session, "--document-format", "YAML"))["DocumentDescription"]
        assert made["Parameters"] == [{"Name": "port", "Type": "String", "DefaultValue": "80"}], made
        read = cli("ssm", "get-document", "--name", "Corp-Port", "--document-format", "YAML", *profile)
        assert read["Content"].strip() == yaml.strip(), read
        described = cli("ssm", "describe-document", "--name", "Corp-Port", *profile)["Document"]
        assert described["DocumentFormat"] == "YAML" and described["Owner"] == "111122223333", described

        def listed(whose, at=profile):
            filters = ("--filters", f"Key=Owner,Values={whose}", "Key=DocumentType,Values=Session")
            found = cli("ssm", "list-documents", *filters, *at)["DocumentIdentifiers"]
            return {d["Name"]: d["DocumentVersion"] for d in found}

        assert listed("Self") == {name: "2", "Corp-Port": "1"}, listed("Self")
        assert listed("Amazon")["AWS-StartSSHSession"] == "1"
        assert "(InvalidFilterKey)" in cli_refused("ssm", "list-documents", "--filters", "Key=Colour,Values=red", *profile)

        # Shared with another account, which uses it by its ARN and cannot change it.
        share = ("ssm", "modify-document-permission", "--name", "Corp-Port", "--permission-type", "Share")
        other = ["--profile", "plants-eu", "--region", "eu-west-1"]
        arn = "arn:aws:ssm:eu-west-1:111122223333:document/Corp-Port"
        assert "(InvalidDocument)" in cli_refused("ssm", "get-document", "--name", arn, *other)
        done = subprocess.run([sys.executable, "-m", "awscli", *share, "--account-ids-to-add", "444455556666", *profile], check=False)
        assert done.returncode == 0
        assert listed("Private", other) == {arn: "1"}, listed("Private", other)
        assert cli("ssm", "get-document", "--name", arn, *other)["Name"] == arn
        assert "(InvalidDocument)" in cli_refused("ssm", "update-document", "--name", "Corp-Port", "--content", content(yaml), *other)
        permission = cli("ssm", "describe-document-permission", "--name", "Corp-Port", "--permission-type", "Share", *profile)
        assert permission["AccountIds"] == ["444455556666"], permission
        assert "(InvalidDocumentOperation)" in cli_refused("ssm", "delete-document", "--name", "Corp-Port", *profile)
        subprocess.run([sys.executable, "-m", "awscli", *share, "--account-ids-to-remove", "444455556666", *profile], check=True)

        def delete(name, *more):
            command = [sys.executable, "-m", "awscli", "ssm", "delete-document", "--name", name, *more, *profile]
            subprocess.run(command, check=True, capture_output=True)

        assert "(InvalidDocumentOperation)" in cli_refused(
            "ssm", "delete-document", "--name", name, "--document-version", "2", *profile
        )
        delete(name, "--document-version", "1")
        delete(name)
        delete("Corp-Port")
        assert "(InvalidDocument)" in cli_refused("ssm", "delete-document", "--name", "Corp-Port", *profile)
        assert listed("Self") == {}, listed("Self")

    ssm = client("ssm", "plants-eu", "us-east-1")
    text = json.dumps(preferences(5))
    for number in range(500):
        ssm.create_document(Name=f"Corp-{number}", Content=text, DocumentType="Session")
    code, _ = refused(lambda: ssm.create_document(Name="Corp-500", Content=text, DocumentType="Session"))
    assert code == "DocumentLimitExceeded", code
    pages = ssm.get_paginator("list_documents").paginate(Filters=[{"Key": "Owner", "Values": ["Self"]}])
    assert sum(len(page["DocumentIdentifiers"]) for page in pages) == 500


def logs():
    region = "eu-central-1"
    ssm = client("ssm", "payments-prod", region)
    past = [s for page in ssm.get_paginator("describe_sessions").paginate(State="History") for s in page["Sessions"]]
    named = next(s for s in past if s["OutputUrl"].get("S3OutputUrl") and s["OutputUrl"].get("CloudWatchOutputUrl"))
    bucket, key = named["OutputUrl"]["S3OutputUrl"].split(".amazonaws.com/", 1)[1].split("/", 1)
    s3 = client("s3", "payments-prod", region)
    whole = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert whole.endswith(b"exit\r\n"), whole
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(whole)
    part = s3.get_object(Bucket=bucket, Key=key, Range="bytes=3-9")
    assert part["Body"].read() == whole[3:10] and part["ContentRange"] == f"bytes 3-9/{len(whole)}", part
    code, _ = refused(lambda: s3.get_object(Bucket=bucket, Key="nothing.log"))
    assert code == "NoSuchKey", code
    code, _ = refused(lambda: s3.list_objects_v2(Bucket="no-such-bucket"))
    assert code == "NoSuchBucket", code

    events = client("logs", "payments-prod", region)
    group, stream = "/fleet/sessions", named["SessionId"]
    found = events.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)["logStreams"]
    assert [s["logStreamName"] for s in found] == [stream], found
    page = events.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, limit=1)
    lines = json.loads(page["events"][0]["message"])["sessionData"]
    assert whole.decode().replace("\r", "").startswith("\n".join(lines)), lines
    following = events.get_log_events(
        logGroupName=group, logStreamName=stream, startFromHead=True, limit=1, nextToken=page["nextForwardToken"]
    )
    assert following["events"][0]["timestamp"] > page["events"][0]["timestamp"], following
    matches = events.filter_log_events(logGroupName=group, logStreamNames=[stream], filterPattern="exit")["events"]
    assert len(matches) == 1, matches
    code, _ = refused(lambda: events.get_log_events(logGroupName=group, logStreamName="nobody"))
    assert code == "ResourceNotFoundException", code

    history = client("cloudtrail", "payments-prod", region)
    text = json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream"})
    ssm.create_document(Name="Corp-Trail", Content=text, DocumentType="Session")
    looked = [{"AttributeKey": "ResourceName", "AttributeValue": "Corp-Trail"}]
    event = history.lookup_events(LookupAttributes=looked)["Events"][0]
    assert event["EventName"] == "CreateDocument" and event["Username"] == "mika.sato", event
    assert json.loads(event["CloudTrailEvent"])["requestParameters"]["name"] == "Corp-Trail"
    assert history.describe_trails()["trailList"][0]["IsMultiRegionTrail"]
    assert history.get_trail_status(Name="fleet-trail")["IsLogging"]
    ssm.delete_document(Name="Corp-Trail")


def main():
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        assert os.environ.get(name), f"{name} must be set"
    for check in (inventory, filters, settings, sessions, signed_upgrade, instances, identity, wrong_secret, command_line, documents, logs):
        check()
        print(check.__name__)
    print("ok")


main()
