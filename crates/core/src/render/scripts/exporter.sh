retry_seconds=5
grpc_port=9090
until (exec 3<>"/dev/tcp/localhost/$grpc_port") 2>/dev/null; do
  read -r -t "$retry_seconds" <> <(:)
done
exec /usr/local/bin/sei-cosmos-exporter --denom usei --denom-coefficient 1000000 --bech-prefix sei --listen-address :9300
