package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"philipp.info/stackgen/pkg/component"
)

// A Telegram bridge that ran as the Python program moves to Go as stackgen renders it: the new bridge takes the
// database over and goes on with the same device and the same Olm account, which it could not read with another key.
// The Go bridge itself is no module of the proxy; mautrix-go's own start-up code, its move of a database and its
// encryption stand for it.
func TestTelegramMove(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: TestAdoption ends with the same move")
	}
	spec := func(version string) string {
		return `version: 1
server_name: ` + serverName + `
hosts: {matrix: ` + publicHost + `}
auth:
  upstream: {keycloak: {issuer: "https://sso.` + serverName + `/realms/family", client_id: matrix}}
ingress: {traefik: {network: ` + ingress + `}}
bridges: {telegram: {version: ` + version + `}}
permissions: {` + serverName + `: user}
`
	}
	s := newStack(t, spec(telegramVersion))
	s.up(t)
	s.says(t, "telegram", "Startup actions complete")
	before := s.sql(t, "telegram", olmAccount)
	if !strings.HasSuffix(before, " true") || len(strings.Fields(before)) < 2 {
		t.Fatalf("the Python bridge has no Olm account of its own: %q", before)
	}
	identity := s.deviceKeys(t)
	s.compose(t, "stop", "telegram")

	s.render(t, spec(component.Of(component.Telegram).Tested.Tag))
	s.up(t)
	s.says(t, "telegram", "Successfully migrated legacy database")
	s.says(t, "telegram", "Bridge started")
	if after := s.sql(t, "telegram", olmAccount); after != before {
		t.Errorf("the Olm account was %q and is %q", before, after)
	}
	if after := s.deviceKeys(t); after != identity {
		t.Error("the bot's device has other keys than before")
	}
	if owner := s.sql(t, "telegram", `SELECT owner FROM database_owner`); owner != "megabridge/mautrix-telegram" {
		t.Errorf("the database belongs to %q", owner)
	}
	fact("mautrix-telegram (PyPI) to mautrix-go", telegramVersion, "the same Olm account, with the rendered pickle_key")

	// With a key of its own, which stackgen made for it before, the bridge does not start.
	s.compose(t, "stop", "telegram")
	s.rewrite(t, "config/telegram/config.yaml", component.Of(component.Telegram).Bridge.Move.PickleKey, strings.Repeat("fedcba9876543210", 3))
	_, _ = s.try("start", "telegram")
	s.says(t, "telegram", "bad mac")
}

// olmAccount is who a bridge's bot is in encrypted rooms.
const olmAccount = `SELECT account_id || ' ' || device_id || ' ' || shared FROM crypto_account`

// says waits for what a bridge has to say once it is alive.
func (s *stack) says(t *testing.T, service, words string) {
	t.Helper()
	if !within(2*time.Minute, func() bool { return strings.Contains(s.logs(t, service), words) }) {
		t.Fatalf("%s does not say %q:\n%s", service, words, tail(s.logs(t, service), 20))
	}
}

// deviceKeys are the identity keys of the bot's devices, as Synapse hands them out.
func (s *stack) deviceKeys(t *testing.T) string {
	t.Helper()
	return s.sql(t, "synapse", `SELECT string_agg(device_id || ' ' || (key_json::json->'keys')::text, ' ' ORDER BY device_id)
		FROM e2e_device_keys_json WHERE user_id = '@telegrambot:`+serverName+`'`)
}

// rewrite changes a rendered file in place, and leaves its owner.
func (s *stack) rewrite(t *testing.T, path, old, now string) {
	t.Helper()
	name := filepath.Join(s.dir, path)
	text := string(s.read(t, path))
	if err := os.WriteFile(name, []byte(replace(t, text, old, now)), 0o600); err != nil {
		t.Fatal(err)
	}
}
