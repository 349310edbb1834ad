package upstream

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/integrationhub/hub/bench/internal/job"
)

// conn is one connection. It remembers what it has found to be right, byte for byte, for each
// payload: checking costs little the second time.
type conn struct {
	server *Server
	conn   net.Conn
	delay  time.Duration
	reader *bufio.Reader
	body   []byte
	seen   [job.Variants]seen
}

// seen is a request that was right.
type seen struct{ target, body []byte }

// request is what came, until the next one is read.
type request struct {
	method  string
	target  []byte
	headers map[string]string // those that matter
	body    []byte
}

// matter are the headers that are looked at.
var matter = []string{"Authorization", "Content-Type", "X-Agent", "X-Api-Key", "Content-Length", "Transfer-Encoding"}

const maxBody = 64 << 10

func newConn(s *Server, c net.Conn, delay time.Duration) *conn {
	return &conn{server: s, conn: c, delay: delay, reader: bufio.NewReaderSize(c, 8<<10)}
}

// serve answers requests until one cannot be read or is not what it must be.
func (c *conn) serve() {
	req := request{headers: map[string]string{}}
	for {
		err := c.read(&req)
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			return
		}
		var answer []byte
		if err == nil {
			answer, err = c.check(&req)
		}
		if err != nil {
			c.refuse(err)
			return
		}
		if c.delay > 0 {
			time.Sleep(c.delay)
		}
		if _, err := c.conn.Write(answer); err != nil {
			return
		}
	}
}

// refuse counts what was wrong and says so. A connection that broke off is nobody's fault.
func (c *conn) refuse(err error) {
	var broken net.Error
	if errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF) {
		return
	}
	c.server.wrong(err.Error())
	text := err.Error()
	_, _ = fmt.Fprintf(c.conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
}

// read reads a request whose body has a length.
func (c *conn) read(req *request) error {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return err
	}
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, version, _ := bytes.Cut(rest, []byte(" "))
	if string(bytes.TrimSpace(version)) != "HTTP/1.1" {
		return fmt.Errorf("the request begins with %q", line)
	}
	req.method, req.target = string(method), append(req.target[:0], target...)
	if err := c.readHeaders(req); err != nil {
		return err
	}
	if coding := req.headers["Transfer-Encoding"]; coding != "" {
		return fmt.Errorf("the body comes in pieces (Transfer-Encoding: %s)", coding)
	}
	size, err := strconv.Atoi(req.headers["Content-Length"])
	if err != nil || size < 0 || size > maxBody {
		return fmt.Errorf("the request has Content-Length: %q", req.headers["Content-Length"])
	}
	if cap(c.body) < size {
		c.body = make([]byte, size)
	}
	req.body = c.body[:size]
	_, err = io.ReadFull(c.reader, req.body)
	return err
}

func (c *conn) readHeaders(req *request) error {
	clear(req.headers)
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			return nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		for _, want := range matter {
			if len(name) == len(want) && strings.EqualFold(string(name), want) {
				req.headers[want] = string(bytes.TrimSpace(value))
			}
		}
	}
}

// check returns the answer to a request that is right.
func (c *conn) check(req *request) ([]byte, error) {
	path, query, _ := bytes.Cut(req.target, []byte("?"))
	if req.method != "POST" {
		return nil, fmt.Errorf("the method is %q", req.method)
	}
	if string(path) == job.TokenPath {
		c.server.tokens.Add(1)
		return c.server.token, checkToken(req)
	}
	n := job.Variant(string(path))
	if n < 0 {
		return nil, fmt.Errorf("no payload leads to the path %q", path)
	}
	for name, want := range wanted[n] {
		if req.headers[name] != want {
			return nil, fmt.Errorf("%s: %q in place of %q", textproto.CanonicalMIMEHeaderKey(name), req.headers[name], want)
		}
	}
	if err := c.checkQuery(n, req.target, query); err != nil {
		return nil, err
	}
	if err := c.checkBody(n, req.body); err != nil {
		return nil, err
	}
	c.server.good.Add(1)
	return c.server.replies[n], nil
}

// checkToken is for OAuth 2.0's client credentials, by whichever way they come.
func checkToken(req *request) error {
	form, err := url.ParseQuery(string(req.body))
	if err != nil || form.Get("grant_type") != "client_credentials" {
		return fmt.Errorf("the token is asked for with %q", req.body)
	}
	return nil
}

func (c *conn) checkQuery(n int, target, query []byte) error {
	if bytes.Equal(c.seen[n].target, target) {
		return nil
	}
	values, err := url.ParseQuery(string(query))
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	want := url.Values{}
	for name, value := range job.Query(n) {
		want.Set(name, value)
	}
	if !reflect.DeepEqual(values, want) {
		return fmt.Errorf("the query is %q", query)
	}
	c.seen[n].target = bytes.Clone(target)
	return nil
}

func (c *conn) checkBody(n int, body []byte) error {
	if bytes.Equal(c.seen[n].body, body) {
		return nil
	}
	var got, want any
	if err := json.Unmarshal(body, &got); err != nil {
		return fmt.Errorf("the body is not JSON: %q", body)
	}
	if err := json.Unmarshal(job.Body(n), &want); err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("the body of payload %d is %s", n, body)
	}
	c.seen[n].body = bytes.Clone(body)
	return nil
}

// wanted are the headers of each payload's request.
var wanted = func() (all [job.Variants]map[string]string) {
	for n := range all {
		all[n] = job.Headers(n)
	}
	return all
}()
