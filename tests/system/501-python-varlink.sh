#!/bin/sh
# Python's varlink module, as it comes, drives the daemon. With PYTHON another command is
# taken, e.g. "chroot DIR python3" where /tmp is mounted in DIR.
. "${srcdir:-.}/tests/support/system.sh"
PYTHON=${PYTHON:-python3}
# shellcheck disable=SC2086
$PYTHON -c 'import varlink' 2>/dev/null || skip "there is no Python module varlink"
start_reeved
cat >client.py <<'EOF'
import base64
import sys
import varlink

client = varlink.Client("unix:" + sys.argv[1])
with client.open("org.varlink.service") as service:
    assert service.GetInfo()["product"] == "reeve"
with client.open("io.reeve.Daemon") as daemon:
    assert daemon.Ping() == {}
    assert daemon.Status()["jobs"]["finished"] == 0
with client.open("io.reeve.Job") as job:
    ids = job.Submit(jobs=[{"command": ["echo", "hi"]}, {"command": ["false"]}])["ids"]
    select = {"ids": [{"first": ids[0], "last": ids[1]}]}
    ended = [p for p in job.Wait(_more=True, select=select)]
    assert ended[-1]["waiting"] == 0
    assert ended[-1]["succeeded"] == 1 and ended[-1]["failed"] == 1
    first = {"ids": [{"first": ids[0], "last": ids[0]}]}
    pages = [p for p in job.Logs(_more=True, select=first, follow=True)]
    assert base64.b64decode("".join(p["data_b64"] for p in pages)) == b"hi\n"
    assert pages[-1]["ended"]
    assert job.Show(select=first)["job"]["result"] == "succeeded"
    try:
        job.Show(select={"ids": [{"first": 999, "last": 999}]})
        sys.exit("an unknown job was shown")
    except varlink.VarlinkError as error:
        assert error.error() == "io.reeve.Job.NotFound"
        assert error.parameters()["id"] == 999
EOF
# shellcheck disable=SC2086
timeout 60 $PYTHON "$tmp/work/client.py" "$REEVE_SOCKET"
stop_reeved
