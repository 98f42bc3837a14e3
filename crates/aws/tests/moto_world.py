"""An AWS that is not ours: moto's server with instances in it, and a user who may do nothing.

Tells where it is in one line of JSON. With the line "check" on its input it checks signatures and policies from then on.
Ends with its input.
"""

import json
import sys
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
COUNT = 250

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"


def client(service):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="anything",
    )


ec2, iam = client("ec2"), client("iam")
image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
tags = [{"Key": "Name", "Value": "web"}, {"Key": "env", "Value": "prod"}]
started = ec2.run_instances(
    ImageId=image,
    MinCount=COUNT,
    MaxCount=COUNT,
    InstanceType="t3.micro",
    TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
)
ids = [instance["InstanceId"] for instance in started["Instances"]]
ec2.stop_instances(InstanceIds=ids[:1])
ec2.terminate_instances(InstanceIds=ids[1:2])
iam.create_user(UserName="nobody")
key = iam.create_access_key(UserName="nobody")["AccessKey"]
told = {
    "endpoint": endpoint,
    "region": REGION,
    "ids": ids,
    "subnet_vpc": started["Instances"][0]["VpcId"],
    "key": key["AccessKeyId"],
    "secret": key["SecretAccessKey"],
}
print(json.dumps(told), flush=True)

for line in sys.stdin:
    if line.strip() == "check":
        url, headers = f"{endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
        request = urllib.request.Request(url, data=b"0", headers=headers)
        urllib.request.urlopen(request).read()
        print(json.dumps("checking"), flush=True)
server.stop()
