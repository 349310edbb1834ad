package hub

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/integrationhub/hub/storage"
)

// connectorRecord is a connector as stored: one record, so that the rules over all its
// requests hold under races.
type connectorRecord struct {
	Connector Connector `json:"connector"`
	// Template is the version in force, which never changes: kept here, it costs no
	// second read, and a connector outlives its template.
	Template Template `json:"template"`
	// Secrets are the sealed descriptors of the secrets that are set, by name.
	Secrets map[string]secretRecord `json:"secrets,omitempty"`
	// Deleting tells that a deletion began: its secrets are being removed.
	Deleting bool `json:"deleting,omitempty"`

	revision int64 // of the stored record, which also secrets move
}

// UnmarshalJSON decodes what the hub itself wrote; the format of a record says who can.
func (r *connectorRecord) UnmarshalJSON(data []byte) error {
	type fields connectorRecord
	plain := struct {
		*fields
		Connector *plainConnector `json:"connector"`
		Template  *plainTemplate  `json:"template"`
	}{(*fields)(r), &plainConnector{&r.Connector}, (*plainTemplate)(&r.Template)}
	return decodeKnown(data, &plain)
}

// CreateConnector saves a connector made from a template of the library. Every broken rule
// is reported at once, in one Invalid; Exists if its id or name is taken.
func (t *Tenant) CreateConnector(ctx context.Context, con Connector) (_ Connector, err error) {
	defer finish(&err, "CreateConnector", con.Name, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Connector{}, err
	}
	defer leave()
	tpl, err := t.offered(ctx, con.Template, con.TemplateVersion)
	if errors.Is(err, NotFound) {
		return Connector{}, t.withoutTemplate(ctx, con)
	}
	if err != nil {
		return Connector{}, err
	}
	rec, change, err := t.newConnector(ctx, con, tpl.Template)
	if err != nil {
		return Connector{}, err
	}
	return saved(rec.Connector, t.apply(ctx, change))
}

// withoutTemplate reports that a connector's template is not in the library, and what else is
// wrong with it as far as can be told without.
func (t *Tenant) withoutTemplate(ctx context.Context, con Connector) error {
	list := []FieldError{{Path: "template", Rule: "unknown-reference", Message: "there is no such template, or version of it, in the library"}}
	if con.Template == "" {
		list = []FieldError{{Path: "template", Rule: "required", Message: "must be the id of a template in the library"}}
	}
	lenient := Template{ID: "any", AuthType: cmp.Or(con.Auth.Kind, AuthNone), Methods: verbs}
	_, _, err := t.newConnector(ctx, con, lenient)
	for _, f := range fieldsOf(err) {
		if f.Rule != "unknown-reference" { // it may be the template's
			list = append(list, f)
		}
	}
	return &Error{Code: Invalid, Fields: list}
}

// fieldsOf returns the broken rules that an error lists.
func fieldsOf(err error) []FieldError {
	if err == nil {
		return nil
	}
	return asError(err).Fields
}

// CreateTemplateAndConnector saves a template and a connector made from it in one step: both
// or neither. con.Template and con.TemplateVersion are disregarded. The paths of an Invalid
// begin with "template." or "connector.".
func (t *Tenant) CreateTemplateAndConnector(ctx context.Context, tpl Template, con Connector) (_ Template, _ Connector, err error) {
	defer finish(&err, "CreateTemplateAndConnector", con.Name, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Template{}, Connector{}, err
	}
	defer leave()
	trec, changes, err := t.newTemplate(tpl)
	if err != nil {
		return Template{}, Connector{}, errBoth(err, t.withoutTemplate(ctx, con))
	}
	crec, change, err := t.newConnector(ctx, con, trec.Template)
	if err != nil {
		return Template{}, Connector{}, errBoth(nil, err)
	}
	if err := t.apply(ctx, append(changes, change)...); err != nil {
		return Template{}, Connector{}, err
	}
	return trec.Template, crec.Connector, nil
}

// errBoth is one error for a template and the connector made from it.
func errBoth(template, connector error) error {
	if err := asError(cmp.Or(template, connector)); len(err.Fields) == 0 {
		return err
	}
	var p problems
	for _, f := range fieldsOf(template) {
		p.add(in("template", f.Path), f.Rule, "%s", f.Message)
	}
	for _, f := range fieldsOf(connector) {
		if template == nil || f.Path != "template" { // it is not missing: it is wrong
			p.add(in("connector", f.Path), f.Rule, "%s", f.Message)
		}
	}
	return p.err()
}

// CopyConnector saves a connector with the definitions of another one under a new name. The
// copy declares the same secrets and holds none of them.
func (t *Tenant) CopyConnector(ctx context.Context, id, name string) (_ Connector, err error) {
	defer finish(&err, "CopyConnector", id, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Connector{}, err
	}
	defer leave()
	source, err := t.connector(ctx, id)
	if err != nil {
		return Connector{}, err
	}
	con := source.Connector
	con.ID, con.Name = "", name
	for i := range con.Requests {
		con.Requests[i].ID = ""
	}
	rec, change, err := t.newConnector(ctx, con, source.Template)
	if err != nil {
		return Connector{}, err
	}
	return saved(rec.Connector, t.apply(ctx, change))
}

// newConnector checks a connector and returns what creates it.
func (t *Tenant) newConnector(ctx context.Context, con Connector, tpl Template) (*connectorRecord, storage.Change, error) {
	con = cloned(con)
	if con.ID == "" {
		con.ID = newID("con")
	} else if err := t.idIsNoName(ctx, &con); err != nil {
		return nil, storage.Change{}, err
	}
	con.Template, con.TemplateVersion = tpl.ID, tpl.Version
	tpl.Icon, tpl.Description = nil, ""
	rec := &connectorRecord{Connector: con, Template: tpl}
	now := t.opts.now().UTC()
	rec.Connector.CreatedAt = now
	if err := t.settle(ctx, rec); err != nil {
		return nil, storage.Change{}, err
	}
	rec.Connector.Revision, rec.Connector.UpdatedAt = nextRevision(0, now), now
	stored, err := t.encodeConnector(rec)
	return rec, storage.Create(stored), err
}

// encodeConnector returns the record to store, under the revision that follows rec's.
func (t *Tenant) encodeConnector(rec *connectorRecord) (storage.Record, error) {
	con := &rec.Connector
	data, err := encodeRecord(rec)
	if err != nil {
		return storage.Record{}, err
	}
	labels := []storage.Label{{Key: labelTemplate, Value: con.Template}}
	for _, tag := range con.Tags {
		labels = append(labels, storage.Label{Key: labelTag, Value: tag})
	}
	labels = append(labels, rec.keyLabels()...)
	now := t.opts.now().UTC()
	return storage.Record{
		Key: t.key(kindConnector, con.ID), Name: con.Name, Search: fold(con.Name), Labels: labels,
		Revision: nextRevision(rec.revision, now), Updated: now, Data: data,
	}, nil
}

// connector reads a connector by its id or, if there is none of that id, by its name.
func (t *Tenant) connector(ctx context.Context, idOrName string) (*connectorRecord, error) {
	stored, err := t.connectorByID(ctx, idOrName)
	if errors.Is(err, NotFound) {
		stored, err = t.findRecord(ctx, t.name, kindConnector, idOrName, "connector "+quote(idOrName))
	}
	if err != nil {
		return nil, err
	}
	return decodeConnector(stored)
}

func (t *Tenant) connectorByID(ctx context.Context, id string) (storage.Record, error) {
	if !idPattern.MatchString(id) {
		return storage.Record{}, failure(NotFound, "there is no connector "+quote(id))
	}
	return t.get(ctx, t.key(kindConnector, id), "connector "+quote(id))
}

func decodeConnector(stored storage.Record) (*connectorRecord, error) {
	rec, err := decodeRecord[connectorRecord](stored)
	rec.revision = stored.Revision
	return &rec, err
}

// GetConnector returns a connector by its id or, if there is none of that id, by its name.
func (t *Tenant) GetConnector(ctx context.Context, connector string) (_ Connector, err error) {
	defer finish(&err, "GetConnector", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Connector{}, err
	}
	defer leave()
	rec, err := t.connector(ctx, connector)
	if err != nil {
		return Connector{}, err
	}
	return rec.Connector, nil
}

// ListConnectors returns a page of the tenant's connectors, ordered by name without regard
// to case.
func (t *Tenant) ListConnectors(ctx context.Context, opts ListOptions) (_ Page[Connector], err error) {
	defer finish(&err, "ListConnectors", "", "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Page[Connector]{}, err
	}
	defer leave()
	return listPage(ctx, t, kindConnector, opts, func(rec connectorRecord) Connector { return rec.Connector })
}

// Connectors walks the tenant's connectors as ListConnectors orders them, page by page. It
// ends at the first error, which it yields.
func (t *Tenant) Connectors(ctx context.Context, opts ListOptions) iter.Seq2[Connector, error] {
	return walk(opts, func(o ListOptions) (Page[Connector], error) { return t.ListConnectors(ctx, o) })
}

// UpdateConnector replaces the definition of the connector with con's ID. con.Revision must
// be the one last read; Conflict if the definition has changed since. The template and its
// version are changed by UpgradeConnector only, and a secret that is set stays declared
// until DeleteSecret removes it.
func (t *Tenant) UpdateConnector(ctx context.Context, con Connector) (_ Connector, err error) {
	defer finish(&err, "UpdateConnector", con.ID, "")
	return t.edit(ctx, con.ID, revisionOf(con.Revision), func(rec *connectorRecord) error {
		next, old := cloned(con), &rec.Connector
		if next.Template == "" {
			next.Template = old.Template
		}
		if next.TemplateVersion == 0 {
			next.TemplateVersion = old.TemplateVersion
		}
		if next.Template != old.Template || next.TemplateVersion != old.TemplateVersion {
			return invalid("template", "immutable", "a connector moves to another version only by UpgradeConnector")
		}
		next.ID, next.CreatedAt = old.ID, old.CreatedAt
		keepDeclared(&next, rec)
		rec.Connector = next
		return nil
	})
}

// keepDeclared declares what is set.
func keepDeclared(con *Connector, rec *connectorRecord) {
	for _, name := range sortedKeys(rec.Secrets) {
		if !slices.ContainsFunc(con.Secrets, func(s Secret) bool { return s.Name == name }) {
			con.Secrets = append(con.Secrets, rec.Connector.secret(name))
		}
	}
}

// secret returns the declaration of a secret, an empty one if there is none.
func (c *Connector) secret(name string) Secret { return declaration(c.Secrets, name) }

func declaration(list []Secret, name string) Secret {
	for _, s := range list {
		if s.Name == name {
			return s
		}
	}
	return Secret{Name: name}
}

// PauseConnector stops every call of a connector until ResumeConnector.
func (t *Tenant) PauseConnector(ctx context.Context, connector string) (_ Connector, err error) {
	defer finish(&err, "PauseConnector", connector, "")
	return t.toggle(ctx, connector, func(rec *connectorRecord) error {
		rec.Connector.Paused = true
		return nil
	})
}

// ResumeConnector lets a paused connector run again.
func (t *Tenant) ResumeConnector(ctx context.Context, connector string) (_ Connector, err error) {
	defer finish(&err, "ResumeConnector", connector, "")
	return t.toggle(ctx, connector, func(rec *connectorRecord) error {
		rec.Connector.Paused = false
		return nil
	})
}

// DeleteConnector removes a connector with its requests, tokens and secrets. revision must
// be the one last read. If the vault fails on the way, the connector is left without
// running, and DeleteConnector can be called again.
func (t *Tenant) DeleteConnector(ctx context.Context, id string, revision int64) (err error) {
	defer finish(&err, "DeleteConnector", id, "")
	var doomed *connectorRecord
	_, err = t.change(ctx, id, wantRevision{named: revision, deleting: true}, func(_ context.Context, rec *connectorRecord) error {
		doomed, rec.Deleting, rec.Secrets = rec, true, nil
		return nil
	})
	if err != nil {
		return err
	}
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	con := &doomed.Connector
	if err := t.forgetSecrets(ctx, con.ID, keepNone); err != nil {
		return err
	}
	if err := t.forgetWaiting(ctx, con.ID); err != nil {
		return err
	}
	t.plans.forget(t.name, con.Name, con.ID)
	t.answers.forget(gateKey{t.name, con.ID})
	return t.deleteConnector(ctx, con.ID, doomed.revision)
}
