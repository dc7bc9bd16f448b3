package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// act is one command of `mas-cli manage`: what stands behind its name, as crates/cli/src/commands/manage.rs has it, and what it
// does. What it takes and is not listed is refused, as clap does.
type act struct {
	args   []string         // by their places, each required
	values []string         // --name VALUE
	flags  []string         // --name
	run    func(call) error // with all of them
}

// call is one command with what it was told.
type call struct {
	*server
	given map[string]string
}

var acts = map[string]act{
	"register-user":                 {args: []string{"username"}, values: []string{"--password"}, flags: []string{"--yes", "--admin", "--no-admin"}, run: call.register},
	"issue-user-registration-token": {values: []string{"--usage-limit", "--expires-in"}, flags: []string{"--unlimited"}, run: call.issueToken},
	"set-password": {args: []string{"username", "password"}, flags: []string{"--ignore-complexity"}, run: func(c call) error {
		return c.set("password", c.given["password"])
	}},
	"kill-sessions":    {args: []string{"username"}, run: call.kill},
	"lock-user":        {args: []string{"username"}, flags: []string{"--deactivate"}, run: func(c call) error { return c.lock(true) }},
	"unlock-user":      {args: []string{"username"}, run: func(c call) error { return c.lock(false) }},
	"promote-admin":    {args: []string{"username"}, run: func(c call) error { return c.set("admin", true) }},
	"demote-admin":     {args: []string{"username"}, run: func(c call) error { return c.set("admin", false) }},
	"list-admin-users": {run: call.admins},
}

// manage runs one command on the users, with the configuration that the server has.
func manage(s *server, args []string) error {
	if len(args) == 0 {
		return errors.New("manage wants a subcommand")
	}
	a, ok := acts[args[0]]
	if !ok {
		return fmt.Errorf("unrecognized subcommand %q", args[0])
	}
	given, places := map[string]string{}, a.args
	for i := 1; i < len(args); i++ {
		switch arg := args[i]; {
		case slices.Contains(a.flags, arg):
			given[arg] = "true"
		case slices.Contains(a.values, arg) && i+1 < len(args):
			i++
			given[arg] = args[i]
		case !strings.HasPrefix(arg, "-") && len(places) > 0:
			given[places[0]], places = arg, places[1:]
		default:
			return fmt.Errorf("unexpected argument %q found", arg)
		}
	}
	if len(places) > 0 {
		return fmt.Errorf("the argument %s was not provided", places[0])
	}
	if args[0] == "register-user" && given["--yes"] == "" {
		return errors.New("IO error: not a terminal")
	}
	return a.run(call{s, given})
}

func (c call) register() error {
	name := c.given["username"]
	if status, text, err := c.synapse(http.MethodGet, "is_localpart_available?localpart="+name, nil); err != nil || status != http.StatusOK {
		return fmt.Errorf("username not available on homeserver: HTTP %d %s %w", status, text, err)
	}
	if _, err := c.db.Exec(`INSERT INTO users VALUES ($1, $2, $3, false)`, name, c.given["--password"], c.given["--admin"] != ""); err != nil {
		return err
	}
	log.Print("User registered")
	return c.tell("provision_user", map[string]any{"localpart": name})
}

// issueToken makes a token for one account, unless it is told otherwise.
func (c call) issueToken() error {
	var uses, until any = 1, nil
	if text := c.given["--usage-limit"]; text != "" {
		uses = text
	}
	if c.given["--unlimited"] != "" {
		uses = nil
	}
	if text := c.given["--expires-in"]; text != "" {
		seconds, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return err
		}
		until = time.Now().Add(time.Duration(seconds) * time.Second)
	}
	token := rand.Text()[:12]
	if _, err := c.db.Exec(`INSERT INTO user_registration_tokens VALUES ($1, $2, $3)`, token, uses, until); err != nil {
		return err
	}
	log.Printf("Created user registration token: %s", token)
	return nil
}

// set changes one column of a user who has to exist.
func (c call) set(column string, value any) error {
	done, err := c.db.Exec(`UPDATE users SET `+column+` = $2 WHERE username = $1`, c.given["username"], value)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errors.New("User not found"), err) //nolint:staticcheck // MAS's own words
	}
	return nil
}

// kill also has Synapse forget the devices, which MAS leaves to a job: Synapse believes a token for two minutes otherwise.
func (c call) kill() error {
	if _, err := c.db.Exec(`DELETE FROM compat_sessions WHERE localpart = $1`, c.given["username"]); err != nil {
		return err
	}
	return c.tell("sync_devices", map[string]any{"localpart": c.given["username"], "devices": []string{}})
}

// lock also tells Synapse, which MAS leaves to a job of its server.
func (c call) lock(locked bool) error {
	if err := c.set("locked", locked); err != nil {
		return err
	}
	if err := c.tell("provision_user", map[string]any{"localpart": c.given["username"], "locked": locked}); err != nil || c.given["--deactivate"] == "" {
		return err
	}
	return c.tell("delete_user", map[string]any{"localpart": c.given["username"], "erase": false})
}

func (c call) admins() error {
	rows, err := c.db.Query(`SELECT username FROM users WHERE admin ORDER BY 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		log.Printf("username=%s", name)
	}
	return rows.Err()
}

// tell is a call to Synapse that has to work.
func (s *server) tell(name string, body map[string]any) error {
	status, text, err := s.synapse(http.MethodPost, name, body)
	if err == nil && status >= 300 {
		err = fmt.Errorf("%s: HTTP %d %s", name, status, text)
	}
	return err
}

// user is whether somebody is locked out, and the password. Who came by a login token is in no table, and is not.
func (s *server) user(ctx context.Context, name string) (password string, locked bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT password, locked FROM users WHERE username = $1`, name).Scan(&password, &locked)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return password, locked, err
}
