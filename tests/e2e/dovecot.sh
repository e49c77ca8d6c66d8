#!/bin/sh
# A real mailbox of one's own: Dovecot on a loopback port, apart from the system's.
#
#   dovecot.sh DIR PORT start|stop
#
# Everything it writes is under DIR, an absolute path:
#   DIR/ca.pem       its certificate, signed by itself, for 127.0.0.1 and localhost
#   DIR/Maildir/     the mailbox: a mail that is put into its new/ is there
#   DIR/dovecot.log  its log
# It speaks IMAP with TLS from the first byte, to everybody whose password is `sesame-7391`. It needs Dovecot 2.3, openssl and root.
set -eu

usage() {
    echo "usage: dovecot.sh DIR PORT start|stop" >&2
    exit 2
}

[ $# -eq 3 ] || usage
dir=$1 port=$2 verb=$3
case $dir in /*) ;; *) usage ;; esac
PATH=$PATH:/usr/sbin:/sbin

start() {
    mkdir -p "$dir/run" "$dir/Maildir/new" "$dir/Maildir/cur" "$dir/Maildir/tmp"
    # Dovecot's processes are other users than the one who made DIR.
    chmod 0711 "$dir"
    chown -R mail "$dir/Maildir"
    if [ ! -e "$dir/key.pem" ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=localhost \
            -addext subjectAltName=IP:127.0.0.1,DNS:localhost -addext basicConstraints=critical,CA:FALSE \
            -keyout "$dir/key.pem" -out "$dir/ca.pem" 2>/dev/null
        chmod 0600 "$dir/key.pem"
    fi
    cat >"$dir/dovecot.conf" <<EOF
base_dir = $dir/run
state_dir = $dir/run
log_path = $dir/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <$dir/ca.pem
ssl_key = <$dir/key.pem
mail_location = maildir:$dir/Maildir
first_valid_uid = 1
passdb {
  driver = static
  args = password=sesame-7391
}
userdb {
  driver = static
  args = uid=mail gid=mail home=$dir/Maildir
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = $port
    ssl = yes
  }
  chroot =
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
EOF
    dovecot -c "$dir/dovecot.conf" </dev/null >"$dir/start.log" 2>&1 || {
        cat "$dir/start.log" >&2
        exit 1
    }
    # It goes on by itself, and writes its number down a moment later.
    for _ in $(seq 100); do
        [ -s "$dir/run/master.pid" ] && return
        sleep 0.1
    done
    exit 1
}

case $verb in
start) start ;;
stop) kill "$(cat "$dir/run/master.pid")" ;;
*) usage ;;
esac
