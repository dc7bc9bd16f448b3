package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// cluster is all of the databases and roles that would show if one were made or changed.
func (a *adoption) cluster(t *testing.T) string {
	t.Helper()
	return a.sql(t, "postgres", `SELECT 'database ' || (d.oid, datname, datdba, pg_encoding_to_char(encoding), datcollate, datctype, datacl)::text FROM pg_database d ORDER BY oid`) + "\n" +
		a.sql(t, "postgres", `SELECT 'role ' || (r.oid, rolname, rolsuper, rolcreatedb, rolcanlogin)::text FROM pg_roles r WHERE oid >= 10 AND rolname NOT LIKE 'pg\_%' ORDER BY oid`)
}

// allRows gives a digest of each table of each database, under "database.table".
func (a *adoption) allRows(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name := range strings.Lines(a.sql(t, "postgres", `SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'`)) {
		name = strings.TrimSpace(name)
		for line := range strings.Lines(a.sql(t, name, `SELECT relname || ' ' || md5(query_to_xml(format('SELECT t::text FROM %I t ORDER BY 1', relname), false, false, '')::text)
			FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' AND relkind = 'r' ORDER BY 1`)) {
			table, sum, _ := strings.Cut(strings.TrimSpace(line), " ")
			all[name+"."+table] = sum
		}
	}
	return all
}

// lasts reports whether the rows of a table are the same after a start: all of MAS and the bridges, but for the bots'
// accounts, whose keys are written anew, encrypted; and of Synapse those that hold what people did.
func lasts(table string) bool {
	if name, ok := strings.CutPrefix(table, "synapse."); ok {
		return ofPeople.MatchString(name)
	}
	return !strings.HasSuffix(table, ".crypto_account")
}

var ofPeople = regexp.MustCompile(`^(users|profiles|access_tokens|account_data|room_account_data|rooms|room_aliases|events|event_json|state_events|` +
	`room_memberships|local_media_repository|e2e_device_keys_json|e2e_cross_signing_keys|e2e_room_keys)$`)

// sameRows holds the rows of each table against those before.
func (a *adoption) sameRows(t *testing.T, was map[string]string) {
	t.Helper()
	now := a.allRows(t)
	n := 0
	for _, table := range slices.Sorted(maps.Keys(was)) {
		if !lasts(table) {
			continue
		}
		if n++; now[table] != was[table] {
			t.Errorf("the rows of %s are others than before", table)
		}
	}
	for table := range now {
		if was[table] == "" {
			t.Errorf("%s is new", table)
		}
	}
	t.Logf("the rows of %d tables are as they were", n)
}

// answers are what a client is told at the addresses that it asks, before it logs in.
func (a *adoption) answers(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, request := range []string{
		"GET https://" + publicHost + "/_matrix/client/versions", "GET https://" + serverName + "/_matrix/client/versions",
		"GET https://" + publicHost + "/_matrix/client/v3/login", "GET https://" + serverName + "/_matrix/client/v3/login",
		"GET https://" + publicHost + "/auth/.well-known/openid-configuration", "GET https://" + publicHost + "/auth/",
		"GET https://" + publicHost + "/_matrix/client/v1/auth_metadata", "GET https://" + publicHost + "/_synapse/admin/v1/server_version",
		"GET https://" + serverName + "/_matrix/key/v2/server", "GET https://" + serverName + "/",
	} {
		method, at, _ := strings.Cut(request, " ")
		got := a.ask(t, method, at, "", nil)
		all[request] = fmt.Sprintf("HTTP %d %v", got.status, got.body)
	}
	delete(all, "GET https://"+serverName+"/_matrix/key/v2/server") // signed anew for each
	return all
}

func (a *adoption) sameAnswers(t *testing.T, was map[string]string) {
	t.Helper()
	now := a.answers(t)
	for _, request := range slices.Sorted(maps.Keys(was)) {
		if now[request] != was[request] {
			t.Errorf("%s was answered with %s, and is with %s", request, was[request], now[request])
		}
	}
}
