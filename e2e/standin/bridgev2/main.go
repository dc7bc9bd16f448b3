// Command bridgev2 stands in for the bridges that cannot be built from Go modules, Signal and Meta. It is
// mautrix-go's own bridge program with a network that does nothing: all that speaks with the configuration,
// the database and the homeserver is the real code, down to the exit codes. Its name says which one it is.
package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"go.mau.fi/util/configupgrade"
	"maunium.net/go/mautrix/bridgev2"
	"maunium.net/go/mautrix/bridgev2/database"
	"maunium.net/go/mautrix/bridgev2/matrix/mxmain"
)

// network is a connector to nowhere.
type network struct{ name string }

func (n network) GetName() bridgev2.BridgeName {
	return bridgev2.BridgeName{DisplayName: n.name, NetworkID: n.name, BeeperBridgeType: n.name, NetworkURL: "https://example.org", DefaultPort: 29300, DefaultCommandPrefix: "!" + n.name}
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

func main() {
	name := filepath.Base(os.Args[0])
	main := mxmain.BridgeMain{
		Name:      name,
		Version:   "0.1.0",
		Connector: network{strings.TrimPrefix(name, "mautrix-")},
	}
	main.InitVersion("", "", "")
	main.Run()
}
