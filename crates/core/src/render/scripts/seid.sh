retry_seconds=5
sidecar_ready() (
  exec 3<>"/dev/tcp/localhost/$sidecar_port" || exit
  printf 'GET /v0/healthz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
  IFS= read -r -t "$retry_seconds" status <&3
  [[ $status == *200* ]]
)
until sidecar_ready 2>/dev/null; do
  read -r -t "$retry_seconds" <> <(:)
done
exec seid start --home "$HOME"
