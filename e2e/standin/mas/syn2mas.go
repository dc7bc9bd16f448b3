package main

import (
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// The exit codes of syn2mas: what is wrong, and what may be.
const (
	exitErrors   = 10
	exitWarnings = 11
)

// homeserver is what syn2mas reads of Synapse's configuration, which may lie in several files.
type homeserver struct {
	ServerName string `yaml:"server_name"`
	Database   struct {
		Name string
		Args struct {
			User, Password, Host, Database, DBName string
			Port                                   int
		}
	}
	PasswordConfig struct {
		Enabled any
		Pepper  string
	} `yaml:"password_config"`
	OIDCProviders []struct {
		IDPID string `yaml:"idp_id"`
	} `yaml:"oidc_providers"`
	GuestAccess       bool `yaml:"allow_guest_access"`
	ChangeOfAddresses bool `yaml:"enable_3pid_changes"`
}

// dsn is the connection string of Synapse's database.
func (h homeserver) dsn() (string, error) {
	a := h.Database.Args
	if a.Database != "" && a.DBName != "" {
		return "", errors.New("Only one of `database` and `dbname` may be specified") //nolint:staticcheck // syn2mas's own words
	}
	port := a.Port
	if port == 0 {
		port = 5432
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(a.User, a.Password),
		Host: net.JoinHostPort(a.Host, strconv.Itoa(port)), Path: a.Database + a.DBName, RawQuery: "sslmode=disable",
	}
	return u.String(), nil
}

// syn2mas checks what the real one checks, and then copies users and sessions into the database of MAS, which has to be
// empty. It only reads Synapse's.
func syn2mas(args []string) {
	var h homeserver
	migrate, dry := slices.Contains(args, "migrate"), slices.Contains(args, "--dry-run")
	for i, arg := range args {
		if arg != "--synapse-config" || i+1 >= len(args) {
			continue
		}
		src, err := os.ReadFile(args[i+1])
		if err == nil {
			err = yaml.Unmarshal(src, &h)
		}
		if err != nil {
			log.Fatalf("configuration of Synapse refused: %v", err)
		}
	}
	c, err := load(os.Getenv("MAS_CONFIG"))
	if err != nil {
		log.Fatalf("configuration refused: %v", err)
	}
	dsn, err := h.dsn()
	if err != nil {
		log.Fatal(err)
	}
	synapse, err1 := sql.Open("postgres", dsn)
	mas, err2 := sql.Open("postgres", c.dsn())
	if err := errors.Join(err1, err2); err != nil {
		log.Fatal(err)
	}
	s := &server{c, mas}
	if err := s.migrate(); err != nil {
		log.Fatal(err)
	}
	if wrong := unfit(h, c, synapse); len(wrong) > 0 {
		log.Print(strings.Join(wrong, "\n"))
		os.Exit(exitErrors)
	}
	if !migrate {
		log.Print("Check completed successfully with no errors or warnings")
		return
	}
	n, err := move(synapse, mas, dry)
	if err != nil {
		log.Print(err)
		os.Exit(exitErrors)
	}
	log.Printf("%d sessions migrated", n)
}

// unfit says what stands in the way.
func unfit(h homeserver, c *config, synapse *sql.DB) (wrong []string) {
	if h.ServerName != c.Matrix.Homeserver {
		wrong = append(wrong, "MAS config has wrong `matrix.homeserver`")
	}
	if h.GuestAccess {
		wrong = append(wrong, "Synapse config has guest access enabled")
	}
	if h.ChangeOfAddresses {
		wrong = append(wrong, "Synapse config has enable_3pid_changes enabled")
	}
	i := slices.IndexFunc(c.Passwords.Schemes, func(s scheme) bool { return s.Version == 1 })
	switch {
	case i < 0 || c.Passwords.Schemes[i].Algorithm != "bcrypt":
		wrong = append(wrong, "Password scheme version '1' in the MAS config must use the Bcrypt algorithm")
	case c.Passwords.Schemes[i].Secret != h.PasswordConfig.Pepper:
		wrong = append(wrong, "Password scheme version '1' in the MAS config must have the same secret as the `pepper` value from Synapse")
	}
	rows, err := synapse.Query(`SELECT DISTINCT auth_provider FROM user_external_ids`)
	if err != nil {
		return append(wrong, err.Error())
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return append(wrong, err.Error())
		}
		known := func(p struct {
			IDPID string `yaml:"idp_id"`
		},
		) bool {
			return name == "oidc-"+p.IDPID
		}
		if !slices.ContainsFunc(h.OIDCProviders, known) {
			wrong = append(wrong, fmt.Sprintf("users are associated to %q, but the Synapse configuration does not contain this provider", name))
		}
		if !slices.ContainsFunc(c.UpstreamOAuth.Providers, func(p provider) bool { return p.SynapseIDPID == name }) {
			wrong = append(wrong, fmt.Sprintf("no provider in the MAS config has synapse_idp_id %q", name))
		}
	}
	return wrong
}

// move copies the sessions of people: neither guests nor the users of appservices have any in MAS.
func move(synapse, mas *sql.DB, dry bool) (n int, err error) {
	var there int
	if err := mas.QueryRow(`SELECT count(*) FROM compat_sessions`).Scan(&there); err != nil {
		return 0, err
	}
	if there > 0 {
		return 0, errors.New("the MAS database is not empty")
	}
	tx, err := mas.Begin()
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	rows, err := synapse.Query(`SELECT t.token, split_part(substr(t.user_id, 2), ':', 1), t.device_id FROM access_tokens t JOIN users u ON u.name = t.user_id
		WHERE t.device_id IS NOT NULL AND u.is_guest = 0 AND u.appservice_id IS NULL AND u.deactivated = 0`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		var token, localpart, device string
		if err := rows.Scan(&token, &localpart, &device); err != nil {
			return n, err
		}
		if _, err := tx.Exec(`INSERT INTO compat_sessions VALUES ($1, $2, $3)`, token, localpart, device); err != nil {
			return n, err
		}
	}
	if dry {
		return n, rows.Err()
	}
	return n, errors.Join(rows.Err(), tx.Commit())
}
