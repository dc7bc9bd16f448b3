package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// Synapse is a homeserver service with its configuration.
type Synapse struct {
	*Service
	Config        *source.File
	Registrations []*Registration
	// Missing are entries of app_service_config_files without a file, with the reason.
	Missing []MissingFile

	Server source.Value // the server's name that the rules go by; see settleServer
}

// setting goes down to a dotted path.
func (s *Synapse) setting(dotted string) source.Value {
	return s.Config.At(strings.Split(dotted, ".")...)
}

// MatrixHost is the host of Synapse's public address; the server name when none is set.
func (s *Synapse) MatrixHost() string {
	if u, _, ok := Endpoint(s.Config.At("public_baseurl").Str()); ok {
		return u.Hostname()
	}
	return s.Server.Str()
}

// Hosts are those on which clients and other servers ask for /_matrix.
func (s *Synapse) Hosts() []string {
	hosts := []string{s.MatrixHost()}
	if name := s.Server.Str(); name != hosts[0] {
		hosts = append(hosts, name)
	}
	return hosts
}

// Delegates reports whether Synapse leaves authentication to MAS.
func (s *Synapse) Delegates() bool {
	return s.Config.At("matrix_authentication_service", "enabled").True()
}

// passwordModule registers password callbacks, which Synapse refuses next to MAS when it loads them.
var passwordModule = regex.Of(`(?i)shared_secret_authenticator|ldap_auth_provider|rest_auth_provider|rest_password_provider|password_auth_provider|ldap3`)

// PasswordModules are the modules of Synapse that check passwords.
func (s *Synapse) PasswordModules() []source.Value {
	var vs []source.Value
	for _, m := range s.Config.At("modules").Items() {
		if v := m.At("module"); passwordModule().MatchString(v.Str()) {
			vs = append(vs, v)
		}
	}
	return vs
}

// Msc3861 is the setting by which Synapse below 1.157 left logins to MAS.
func (s *Synapse) Msc3861() source.Value { return s.Config.At("experimental_features", "msc3861") }

// Partial reports whether a program has a configuration file that cannot be seen, so that a key that is missing here may
// stand there.
func (s *Service) Partial() bool { return s.partly }

// ArgsAstray is where arguments of the connection stand when that is not below database.args; absent when they stand there, or
// nowhere, or the environment says the same.
func (s *Synapse) ArgsAstray() source.Value {
	args := s.Config.At("database", "args")
	if s.Partial() {
		return source.Value{}
	}
	if v := args.At("args"); v.Kind() == source.Mapping {
		return v
	}
	if !args.Set() {
		for _, path := range [][]string{{"args"}, {"database", "host"}, {"database", "user"}, {"database", "password"}, {"database", "dbname"}, {"database", "database"}} {
			if v := s.Config.At(path...); v.Set() {
				return v
			}
		}
		return source.Value{}
	}
	for _, of := range []struct{ key, env string }{{"host", "PGHOST"}, {"user", "PGUSER"}, {"password", "PGPASSWORD"}} {
		text, _ := s.Env(of.env)
		elsewhere := text != "" || s.EnvHidden(of.env) != "" || args.At("service").Set() || args.At("dsn").Set() || of.key == "password" && args.At("passfile").Set() || of.key == "host" && args.At("hostaddr").Set()
		for _, v := range []source.Value{s.Config.At("database", of.key), s.Config.At(of.key)} {
			if v.Set() && !args.At(of.key).Set() && !elsewhere {
				return v
			}
		}
	}
	return source.Value{}
}

// FederationListener is where a listener names the resource for other servers; absent when none does.
func (s *Synapse) FederationListener() source.Value {
	for _, l := range s.Config.At("listeners").Items() {
		for _, res := range l.At("resources").Items() {
			names := res.At("names").Items()
			if i := slices.IndexFunc(names, func(v source.Value) bool { return v.Str() == "federation" }); i >= 0 {
				return names[i]
			}
		}
	}
	return source.Value{}
}

// SigningKey is the path of the signing key in the container and the value that says so; "" when the key
// stands in the configuration itself, or the path cannot be told.
func (s *Synapse) SigningKey() (string, source.Value) {
	v := s.Config.At("signing_key_path")
	switch {
	case s.Config.At("signing_key").Set():
		return "", s.Config.At("signing_key")
	case v.Set():
		return s.Inside(v.Str()), v
	case s.Config.At("server_name").Set() && !s.Partial():
		return path.Join(path.Dir(s.ConfigPath), s.Config.At("server_name").Str()+".signing.key"), v
	}
	return "", v
}

// Proxied reports whether Synapse fetches through an HTTP proxy, which then has to know what is private.
func (s *Synapse) Proxied() bool {
	return slices.ContainsFunc([]string{"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}, func(name string) bool {
		val, _ := s.Env(name)
		return val != "" || s.Config.At(name).Set()
	})
}
