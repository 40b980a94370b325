set -eu
if [ -f "$HOME/config/genesis.json" ]; then
  echo "seid-init: $HOME/config/genesis.json exists, nothing to initialise"
else
  seid init "$SEI_CHAIN_ID" --chain-id "$SEI_CHAIN_ID" --home "$HOME" --overwrite
fi
mkdir -p "$HOME/tmp"
