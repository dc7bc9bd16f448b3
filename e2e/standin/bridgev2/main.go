// Command bridgev2 stands in for the bridges that cannot be built from Go modules: Signal, Meta, Telegram. It is
// mautrix-go's own bridge program with a network that does nothing: all that speaks with the configuration,
// the database and the homeserver is the real code, down to the exit codes. Its name says which one it is.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.mau.fi/util/configupgrade"
	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/bridgev2"
	"maunium.net/go/mautrix/bridgev2/database"
	"maunium.net/go/mautrix/bridgev2/matrix/mxmain"
	"maunium.net/go/mautrix/id"

	"philipp.info/stackgen/pkg/component"
)

// network is a connector to nowhere.
type network struct{ name string }

func (n network) GetName() bridgev2.BridgeName {
	b := component.Of(component.Program(n.name)).Bridge
	return bridgev2.BridgeName{
		DisplayName: strings.TrimSuffix(b.DisplayName, " bridge bot"), NetworkID: b.ID, BeeperBridgeType: n.name, NetworkIcon: id.ContentURIString(b.Avatar), NetworkURL: "https://example.org",
		DefaultPort: uint16(b.Port), DefaultCommandPrefix: b.CommandPrefix,
	}
}

func (network) Init(*bridgev2.Bridge)              {}
func (network) Start(context.Context) error        { return nil }
func (network) GetDBMetaTypes() database.MetaTypes { return database.MetaTypes{} }
func (network) GetCapabilities() *bridgev2.NetworkGeneralCapabilities {
	return &bridgev2.NetworkGeneralCapabilities{}
}
func (network) GetConfig() (string, any, configupgrade.Upgrader) { return "", nil, nil }
func (network) LoadUserLogin(context.Context, *bridgev2.UserLogin) error {
	return errors.ErrUnsupported
}
func (network) GetLoginFlows() []bridgev2.LoginFlow            { return nil }
func (network) GetBridgeInfoVersion() (info, capabilities int) { return 1, 1 }
func (network) CreateLogin(context.Context, *bridgev2.User, string) (bridgev2.LoginProcess, error) {
	return nil, errors.ErrUnsupported
}

// ofPython lists the tables of a Python bridge that are in the way of the new ones: all but those of the
// encryption, which is what stays. The rooms' state is asked for again.
const ofPython = `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'crypto\_%'
	AND tablename NOT IN ('version', 'database_owner')`

// rename moves them out of the way. What is in them belongs to a network, and there is none here.
func rename(ctx context.Context, db *dbutil.Database) error {
	rows, err := db.Query(ctx, ofPython)
	tables, err := dbutil.NewRowIterWithError(rows, dbutil.ScanSingleColumn[string], err).AsList()
	for _, table := range tables {
		if err == nil {
			_, err = db.Exec(ctx, fmt.Sprintf(`ALTER TABLE "%s" RENAME TO "%s_old"`, table, table))
		}
	}
	if err == nil {
		_, err = db.Exec(ctx, `ALTER TYPE membership RENAME TO membership_old`)
	}
	return err
}

func main() {
	name := filepath.Base(os.Args[0])
	main := mxmain.BridgeMain{
		Name:      name,
		Version:   "0.1.0",
		Connector: network{strings.TrimPrefix(name, "mautrix-")},
	}
	// As mautrix-telegram v0.2608.0 calls it: the schema that the Python bridge v0.15.3 ends with is 18.
	if name == "mautrix-telegram" {
		main.PostInit = func() {
			main.CheckLegacyDB(18, "v0.14.0", "v26.04", main.LegacyMigrateWithAnotherUpgrader(rename, "", 27, nil, "", 0), true)
		}
	}
	main.InitVersion("", "", "")
	main.Run()
}
