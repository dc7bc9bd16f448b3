package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// gather makes the users and the rooms, and has everybody join and sync once. Four at a time: a server hashes each password.
func (c *crowd) gather(ctx context.Context) error {
	run := time.Now().Format("150405")
	for i := range c.users {
		c.people = append(c.people, person{name: fmt.Sprintf("load-%s-%d", run, i), rooms: [2]int{i % c.rooms, (i + 1) % c.rooms}, seen: make(map[string]bool)})
	}
	c.room = make([]string, c.rooms)
	err := each(c.users, func(i int) error { return c.register(ctx, &c.people[i]) })
	if err == nil {
		err = each(c.rooms, func(i int) error {
			var got struct {
				ID string `json:"room_id"`
			}
			err := c.ask(ctx, http.MethodPost, "/_matrix/client/v3/createRoom", c.people[i].token, map[string]string{"preset": "public_chat"}, &got)
			c.room[i] = got.ID
			return err
		})
	}
	if err != nil {
		return err
	}
	return each(c.users, func(i int) error {
		p := &c.people[i]
		for _, room := range p.rooms {
			if err := c.ask(ctx, http.MethodPost, "/_matrix/client/v3/join/"+url.PathEscape(c.room[room]), p.token, struct{}{}, nil); err != nil {
				return err
			}
		}
		_, err := c.news(ctx, p, 0)
		return err
	})
}

// each does something for every number below n, a few at a time, and gives the first error.
func each(n int, do func(int) error) error {
	var work sync.WaitGroup
	next, failed := make(chan int), make(chan error, n)
	for range 4 {
		work.Go(func() {
			for i := range next {
				failed <- do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	work.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// register makes a user as register_new_matrix_user does.
func (c *crowd) register(ctx context.Context, p *person) error {
	const path = "/_synapse/admin/v1/register"
	var nonce struct{ Nonce string }
	if err := c.ask(ctx, http.MethodGet, path, "", nil, &nonce); err != nil {
		return err
	}
	password := "load"
	mac := hmac.New(sha1.New, []byte(c.secret))
	mac.Write([]byte(strings.Join([]string{nonce.Nonce, p.name, password, "notadmin"}, "\x00")))
	var got struct {
		Token string `json:"access_token"`
		ID    string `json:"user_id"`
	}
	err := c.ask(ctx, http.MethodPost, path, "", map[string]any{
		"nonce": nonce.Nonce, "username": p.name, "password": password, "admin": false, "mac": hex.EncodeToString(mac.Sum(nil)),
	}, &got)
	p.token, p.name = got.Token, got.ID
	return err
}

// say sends a message.
func (c *crowd) say(ctx context.Context, p *person, said string) error {
	path := fmt.Sprintf("/_matrix/client/v3/rooms/%s/send/m.room.message/%s", url.PathEscape(c.room[p.rooms[0]]), url.PathEscape(said))
	return c.ask(ctx, http.MethodPut, path, p.token, map[string]string{"msgtype": "m.text", "body": said}, nil)
}

// body is a message in a sync.
type body struct{ said, by string }

// everything has a sync leave out no message where many have come since the last one.
const everything = `{"room":{"timeline":{"limit":1000}}}`

// news goes on with a user's sync, which waits so long for something.
func (c *crowd) news(ctx context.Context, p *person, wait time.Duration) (bodies []body, err error) {
	query := url.Values{"timeout": {fmt.Sprint(wait.Milliseconds())}, "filter": {everything}}
	if p.since != "" {
		query.Set("since", p.since)
	}
	var got struct {
		Next  string `json:"next_batch"`
		Rooms struct {
			Join map[string]struct {
				Timeline struct {
					Events []struct {
						Sender  string
						Content struct{ Body string }
					}
				}
			}
		}
	}
	if err := c.ask(ctx, http.MethodGet, "/_matrix/client/v3/sync?"+query.Encode(), p.token, nil, &got); err != nil {
		return nil, err
	}
	p.since = got.Next
	for _, room := range got.Rooms.Join {
		for _, e := range room.Timeline.Events {
			bodies = append(bodies, body{e.Content.Body, e.Sender})
		}
	}
	return bodies, nil
}

// ask asks the homeserver, and reads the answer into what it is for.
func (c *crowd) ask(ctx context.Context, method, path, token string, send, into any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var src io.Reader
	if send != nil {
		text, err := json.Marshal(send)
		if err != nil {
			return err
		}
		src = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, src)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return err
	}
	path, _, _ = strings.Cut(path, "?")
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: HTTP %d %.200s", method, path, res.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
