package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// config is the part of MAS's configuration that a stack uses, by MAS 1.22's names. MAS ignores what it
// does not know; here an unknown key is an error, for it would have no effect.
type config struct {
	HTTP struct {
		PublicBase     string   `yaml:"public_base"`
		TrustedProxies []string `yaml:"trusted_proxies"`
		Listeners      []struct {
			Name      string
			Prefix    string
			Resources []struct{ Name string }
			Binds     []struct {
				Host    string
				Port    int
				Address string
			}
		}
	}
	Database struct {
		URI          string
		Host         string
		Port         int
		Username     string
		Password     string
		PasswordFile string `yaml:"password_file"`
		Database     string
	}
	Matrix struct {
		Kind       string
		Homeserver string
		Endpoint   string
		Secret     string
		SecretFile string `yaml:"secret_file"`
	}
	Secrets struct {
		Encryption     string
		EncryptionFile string `yaml:"encryption_file"`
		Keys           []struct {
			Kid     string
			Key     string
			KeyFile string `yaml:"key_file"`
		}
	}
	Passwords struct {
		Enabled *bool
		Schemes []scheme
	}
	Account       map[string]bool
	UpstreamOAuth struct {
		Providers []provider
	} `yaml:"upstream_oauth2"`
}

type scheme struct {
	Version              int
	Algorithm            string
	UnicodeNormalization bool `yaml:"unicode_normalization"`
	Secret               string
	SecretFile           string `yaml:"secret_file"`
}

type provider struct {
	ID                      string
	Issuer                  string
	HumanName               string `yaml:"human_name"`
	BrandName               string `yaml:"brand_name"`
	SynapseIDPID            string `yaml:"synapse_idp_id"`
	ClientID                string `yaml:"client_id"`
	ClientSecret            string `yaml:"client_secret"`
	ClientSecretFile        string `yaml:"client_secret_file"`
	TokenEndpointAuthMethod string `yaml:"token_endpoint_auth_method"`
	Scope                   string
	OnBackchannelLogout     string `yaml:"on_backchannel_logout"`
	ClaimsImports           map[string]struct {
		Action     string
		Template   string
		OnConflict string `yaml:"on_conflict"`
	} `yaml:"claims_imports"`
}

// load reads the configuration and every file that it names, as MAS does when it starts.
func load(path string) (*config, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var c config
	dec := yaml.NewDecoder(bytes.NewReader(src))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var bad []error
	bad = append(bad, c.checkHTTP(), c.readEncryption(), c.readKeys(), c.readSchemes())
	bad = append(bad, read("matrix.secret", &c.Matrix.Secret, c.Matrix.SecretFile))
	if c.Database.URI != "" && c.Database.Host+c.Database.Username+c.Database.Password+c.Database.PasswordFile+c.Database.Database != "" {
		bad = append(bad, errors.New("uri must not be specified if host, port, socket, username, password, password_file, or database are specified"))
	} else if c.Database.URI == "" {
		bad = append(bad, read("database.password", &c.Database.Password, c.Database.PasswordFile))
	}
	if c.Matrix.Homeserver == "" || c.Matrix.Endpoint == "" {
		bad = append(bad, errors.New("matrix.homeserver or matrix.endpoint is missing"))
	}
	for i := range c.UpstreamOAuth.Providers {
		bad = append(bad, c.UpstreamOAuth.Providers[i].check())
	}
	return &c, errors.Join(bad...)
}

// read takes the value from a file, trimmed, unless it stands inline; both or none is an error.
func read(name string, value *string, file string) error {
	switch {
	case *value != "" && file != "":
		return fmt.Errorf("cannot specify both %s and %[1]s_file", name)
	case *value == "" && file == "":
		return fmt.Errorf("missing %s or %[1]s_file", name)
	case file != "":
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		*value = strings.TrimSpace(string(src))
	}
	return nil
}

func (c *config) checkHTTP() error {
	u, err := url.Parse(c.HTTP.PublicBase)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("http.public_base %q is no base URL", c.HTTP.PublicBase)
	}
	if len(c.HTTP.Listeners) == 0 {
		return errors.New("http has no listeners: no port would be open")
	}
	for _, l := range c.HTTP.Listeners {
		if len(l.Resources) == 0 {
			return errors.New("listener has no resources")
		}
		if len(l.Binds) == 0 {
			return errors.New("listener does not bind to any address")
		}
	}
	for _, cidr := range c.HTTP.TrustedProxies {
		if _, _, err := net.ParseCIDR(cidr); err != nil && net.ParseIP(cidr) == nil {
			return fmt.Errorf("invalid address: %q", cidr)
		}
	}
	return nil
}

// readEncryption does not trim the file, as MAS does not.
func (c *config) readEncryption() error {
	text := c.Secrets.Encryption
	if file := c.Secrets.EncryptionFile; file != "" {
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text = string(src)
	}
	if key, err := hex.DecodeString(text); err != nil || len(key) != 32 {
		return errors.New("Content of `encryption_file` must contain hex characters encoding exactly 32 bytes") //nolint:staticcheck // MAS's own words
	}
	return nil
}

// readSchemes looks at the password schemes only when there are passwords, as MAS does. A secret's file is not trimmed.
func (c *config) readSchemes() error {
	if c.Passwords.Enabled != nil && !*c.Passwords.Enabled {
		return nil
	}
	if c.Passwords.Schemes != nil && len(c.Passwords.Schemes) == 0 {
		return errors.New("Requires at least one password scheme in the config") //nolint:staticcheck // MAS's own words
	}
	versions := map[int]bool{}
	for i := range c.Passwords.Schemes {
		s := &c.Passwords.Schemes[i]
		if s.Secret != "" && s.SecretFile != "" {
			return errors.New("Cannot specify both `secret` and `secret_file`") //nolint:staticcheck // MAS's own words
		}
		if versions[s.Version] {
			return errors.New("Multiple password schemes have the same versions") //nolint:staticcheck // MAS's own words
		}
		versions[s.Version] = true
		if s.SecretFile != "" {
			src, err := os.ReadFile(s.SecretFile)
			if err != nil {
				return err
			}
			s.Secret = string(src)
		}
	}
	return nil
}

func (c *config) readKeys() error {
	kids := map[string]bool{}
	hasRSA := false
	for _, k := range c.Secrets.Keys {
		if err := read("secrets.keys[].key", &k.Key, k.KeyFile); err != nil {
			return err
		}
		key, err := parseKey(k.Key)
		if err != nil {
			return fmt.Errorf("key %s: %w", k.Kid, err)
		}
		if kids[k.Kid] {
			return fmt.Errorf("key id %s is used twice", k.Kid)
		}
		kids[k.Kid] = true
		if _, ok := key.(*rsa.PrivateKey); ok {
			hasRSA = true
		}
	}
	if !hasRSA {
		return errors.New("no RSA key: RS256 clients would fail")
	}
	return nil
}

func parseKey(text string) (crypto.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	}
	return x509.ParsePKCS8PrivateKey(block.Bytes)
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func (p *provider) check() error {
	if len(p.ID) != 26 || strings.Trim(p.ID, crockford) != "" {
		return fmt.Errorf("upstream provider id %q is no ULID", p.ID)
	}
	if p.Issuer == "" || p.ClientID == "" {
		return errors.New("an upstream provider needs issuer and client_id")
	}
	for claim, c := range p.ClaimsImports {
		if claim == "localpart" && c.OnConflict != "" && c.OnConflict != "fail" && c.Action != "force" && c.Action != "require" {
			return errors.New("The field `action` must be either `force` or `require` when `on_conflict` is set to `add`, `replace` or `set`") //nolint:staticcheck // MAS's own words
		}
	}
	switch p.TokenEndpointAuthMethod {
	case "client_secret_basic", "client_secret_post":
		return read("client_secret", &p.ClientSecret, p.ClientSecretFile)
	case "none":
		return nil
	}
	return fmt.Errorf("token_endpoint_auth_method %q is not known here", p.TokenEndpointAuthMethod)
}

// dsn is the connection string of the database.
func (c *config) dsn() string {
	if c.Database.URI != "" {
		u, err := url.Parse(c.Database.URI)
		if err != nil || u.Query().Has("sslmode") {
			return c.Database.URI
		}
		u.RawQuery = "sslmode=disable" // where it says nothing MAS takes what the server has
		return u.String()
	}
	port := c.Database.Port
	if port == 0 {
		port = 5432
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(c.Database.Username, c.Database.Password),
		Host: net.JoinHostPort(c.Database.Host, strconv.Itoa(port)), Path: c.Database.Database, RawQuery: "sslmode=disable",
	}
	return u.String()
}
