#!/bin/sh
# A real mail server of one's own: Postfix on a loopback port, apart from the system's.
#
#   postfix.sh DIR PORT start|stop [LMTP]
#
# Everything it writes is under DIR, an absolute path:
#   DIR/ca.pem       its certificate, signed by itself, for 127.0.0.1 and localhost
#   DIR/mail/new/    every mail for everybody, one file each (a maildir)
#   DIR/bounces/new/ except what is for bounce+…
#   DIR/postfix.log  its log
# It offers STARTTLS and SMTPUTF8, refuses nobody@refused.example with 550 and later@refused.example with 450, takes mail for
# gone@refused.example and bounces it, and sends nothing on to anywhere; with LMTP, a loopback port, it hands mail for
# help@desk.example over there. It needs Postfix, openssl and root, as every Postfix
# does.
set -eu

usage() {
    echo "usage: postfix.sh DIR PORT start|stop [LMTP]" >&2
    exit 2
}

[ $# -eq 3 ] || [ $# -eq 4 ] || usage
dir=$1 port=$2 verb=$3 lmtp=${4:-}
case $dir in /*) ;; *) usage ;; esac
PATH=$PATH:/usr/sbin:/sbin

start() {
    mkdir -p "$dir/etc" "$dir/queue" "$dir/data" "$dir/mail" "$dir/bounces"
    # Postfix's processes are other users than the one who made DIR.
    chmod 0711 "$dir"
    chown postfix "$dir/data"
    chown mail "$dir/mail" "$dir/bounces"
    if [ ! -e "$dir/key.pem" ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=localhost \
            -addext subjectAltName=IP:127.0.0.1,DNS:localhost -addext basicConstraints=critical,CA:FALSE \
            -keyout "$dir/key.pem" -out "$dir/ca.pem" 2>/dev/null
        chmod 0600 "$dir/key.pem"
    fi
    mail_user=$(id -u mail)
    cat >"$dir/etc/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/postfix.log
maillog_file_prefixes = $dir
myhostname = mail.test.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
smtputf8_enable = yes
biff = no

virtual_mailbox_domains = static:all
virtual_mailbox_maps = regexp:$dir/etc/mailboxes
transport_maps = inline:{ {gone@refused.example = gone:}${lmtp:+, {help@desk.example = lmtp:inet:127.0.0.1:$lmtp\}} }
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
virtual_mailbox_base = $dir
virtual_minimum_uid = 1
virtual_uid_maps = static:$mail_user
virtual_gid_maps = static:$(id -g mail)

smtpd_peername_lookup = no
smtpd_recipient_restrictions =
    check_recipient_access inline:{
        {nobody@refused.example = 550 5.1.1 No such mailbox here},
        {later@refused.example = 450 4.2.0 Come back later} },
    permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = $dir/ca.pem
smtpd_tls_key_file = $dir/key.pem
smtpd_tls_received_header = yes
EOF
    cat >"$dir/etc/mailboxes" <<EOF
/^bounce[+]/ bounces/
/./ mail/
EOF
    cat >"$dir/etc/master.cf" <<EOF
127.0.0.1:$port inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
discard unix - - n - - discard
lmtp unix - - n - - lmtp
error unix - - n - - error
gone unix - n n - - pipe user=mail argv=/bin/sh -c {exit 67}
retry unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
EOF
    postfix -c "$dir/etc" start >"$dir/start.log" 2>&1 || {
        cat "$dir/start.log" >&2
        exit 1
    }
}

case $verb in
start) start ;;
stop) postfix -c "$dir/etc" stop >/dev/null 2>&1 ;;
*) usage ;;
esac
