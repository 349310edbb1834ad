package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/integrationhub/hub/internal/oauth"
)

// DeviceAuthorization is what a person needs to consent on another device (RFC 8628 section
// 3.2): show them URL and UserCode, or Complete as a link or QR code.
type DeviceAuthorization struct {
	// ID names the authorization for PollDevice.
	ID       string `json:"id"`
	UserCode string `json:"userCode"`
	URL      string `json:"url"`
	// Complete is the URL that holds the code already; empty if the server makes none.
	Complete string `json:"complete,omitempty"`
	// Expires is when the code ends.
	Expires time.Time `json:"expires"`
	// Interval is how long to wait between two polls; PollDevice does not send sooner.
	Interval time.Duration `json:"interval"`
}

// StartDevice begins the authorization of an AuthDeviceCode connector on another device. URL
// and UserCode are the server's texts: show them as text, and open no URL by yourself.
func (t *Tenant) StartDevice(ctx context.Context, connector string) (_ DeviceAuthorization, err error) {
	defer finish(&err, "StartDevice", connector, "")
	ctx, r, leave, err := t.consent(ctx, connector, "StartDevice", AuthDeviceCode)
	if err != nil {
		return DeviceAuthorization{}, err
	}
	defer leave()
	w := waiting{ID: rand.Text(), AuthKey: r.plan.authKey}
	d, err := r.askDevice(ctx)
	if err != nil {
		return DeviceAuthorization{}, err
	}
	now := t.opts.now().UTC()
	w.Until, w.Interval = now.Add(time.Duration(d.Expires)*time.Second), time.Duration(d.Interval)*time.Second
	w.Next, w.Device = now.Add(w.Interval), d.Code
	if r.plan.def.Auth.OAuth.DPoP {
		if _, err := newProof(&w); err != nil {
			return DeviceAuthorization{}, err
		}
	}
	if err := t.wait(ctx, r.plan.def.ID, w); err != nil {
		return DeviceAuthorization{}, err
	}
	return DeviceAuthorization{
		ID: w.ID, UserCode: d.UserCode, URL: d.URL, Complete: d.Complete, Expires: w.Until, Interval: w.Interval,
	}, nil
}

// askDevice sends the device authorization request down the road of every call.
func (r *run) askDevice(ctx context.Context) (_ *oauth.Device, err error) {
	r.req = r.plan.scheme.device
	ctx, cancel := context.WithTimeout(ctx, r.req.timeout)
	defer cancel()
	ctx = r.trace(ctx)
	var res *Result
	defer func() {
		res, err = ended(res, err)
		err = r.report(ctx, res, err)
	}()
	if err := r.render(ctx); err != nil {
		return nil, err
	}
	if err := r.guard(); err != nil {
		return nil, err
	}
	r.send(ctx)
	if res, err = r.judge(); err != nil {
		return nil, r.refusedWith(res, err)
	}
	if !res.json {
		return nil, r.explained(failure(BadAnswer, "the device authorization's answer is not JSON"))
	}
	d, err := oauth.ReadDevice(res.Body)
	if err != nil {
		return nil, r.explained(failure(BadAnswer, err.Error()))
	}
	return d, nil
}

// PollDevice asks whether the person has consented. It reports true once the connector has
// its tokens, and false as long as it has to be called again, after the Interval; a call
// that comes sooner sends nothing. A person who refused, or a code that ended, is an
// Unauthorized; NotFound is an id that is unknown or done.
func (t *Tenant) PollDevice(ctx context.Context, connector, id string) (done bool, err error) {
	defer finish(&err, "PollDevice", connector, "")
	ctx, r, leave, err := t.consent(ctx, connector, "PollDevice", AuthDeviceCode)
	if err != nil {
		return false, err
	}
	defer leave()
	w, err := t.turn(ctx, r.plan.def.ID, id)
	if w == nil || err != nil {
		return false, err
	}
	if w.AuthKey != r.plan.authKey {
		return false, failure(Conflict, "the connector has been changed since the consent was asked for: begin anew")
	}
	err = t.exchange(ctx, r.plan, &exchangeCode{device: w.Device, proof: w.Proof})
	refusal := ""
	if err != nil {
		refusal = asError(err).refusal
	}
	switch {
	case refusal == "authorization_pending":
		return false, nil
	case refusal == "slow_down": // RFC 8628 section 3.5
		return false, t.slowDown(ctx, r.plan.def.ID, id)
	case err != nil && refusal == "": // the server was not reached: the code is still good
		return false, err
	}
	if _, gone := t.taken(ctx, r.plan.def.ID, id, ""); gone != nil && err == nil {
		t.log.WarnContext(ctx, "a device code that was used is left in the store", "tenant", t.name, "connector", connector, "error", gone)
	}
	return err == nil, err
}

// turn returns what waits under an id, if its time to be asked for has come: of several who
// poll, one.
func (t *Tenant) turn(ctx context.Context, connector, id string) (*waiting, error) {
	var found *waiting
	err := t.changeWaiting(ctx, connector, func(list []waiting) ([]waiting, error) {
		found = nil
		i := slices.IndexFunc(list, func(w waiting) bool { return w.ID == id && w.Device != "" })
		if i < 0 {
			return nil, failure(NotFound, "there is no such device authorization, or it has ended: begin anew")
		}
		now := t.opts.now().UTC()
		if now.Before(list[i].Next) {
			return nil, errEarly
		}
		list[i].Next = now.Add(list[i].Interval)
		found = &list[i]
		return list, nil
	})
	if errors.Is(err, errEarly) {
		return nil, nil
	}
	return found, err
}

var errEarly = errors.New("too early to ask again")

// slowDown makes the polls of a device rarer.
func (t *Tenant) slowDown(ctx context.Context, connector, id string) error {
	return t.changeWaiting(ctx, connector, func(list []waiting) ([]waiting, error) {
		for i := range list {
			if list[i].ID == id {
				list[i].Interval += 5 * time.Second
				list[i].Next = t.opts.now().UTC().Add(list[i].Interval)
			}
		}
		return list, nil
	})
}
