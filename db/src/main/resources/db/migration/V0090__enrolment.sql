-- SPDX-License-Identifier: Apache-2.0
-- How a node comes to its certificate: an operator's token, used once, or the certificate that it has admit a request;
-- the provisioner, which alone has the authority's key, signs it. Tenants have no part in this.

-- One for each node; a newer one replaces it.
create table node_enrolment_tokens (
    node_id uuid not null,
    token_sha256 bytea not null,
    expires_at timestamptz not null,
    -- The only request that it admits; null: not used yet.
    request_sha256 bytea,
    created_at timestamptz not null default now(),
    constraint node_enrolment_token_pk primary key (node_id),
    constraint node_enrolment_token_node_fk foreign key (node_id) references nodes (id),
    constraint node_enrolment_token_sha256_check check (length(token_sha256) = 32)
);
grant select, insert, update, delete on node_enrolment_tokens to weir_operator;

-- A request, and later its certificate. A certificate that is not here, has expired or is revoked proves nothing.
create table node_certificates (
    id uuid not null default uuidv7(),
    node_id uuid not null,
    proof text not null,
    -- PKCS#10, DER
    request bytea not null,
    request_sha256 bytea not null,
    state text not null default 'pending',
    refusal text,
    -- X.509, DER; so is the authority's, by which the node's is to be checked
    certificate bytea,
    certificate_sha256 bytea,
    authority bytea,
    expires_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null default now(),
    constraint node_certificate_pk primary key (id),
    constraint node_certificate_node_fk foreign key (node_id) references nodes (id),
    constraint node_certificate_request_key unique (node_id, request_sha256),
    constraint node_certificate_sha256_key unique (certificate_sha256),
    constraint node_certificate_proof_check check (proof in ('token', 'certificate')),
    constraint node_certificate_state_check check (state in ('pending', 'issued', 'refused')),
    constraint node_certificate_refusal_check check ((state = 'refused') = (refusal is not null)),
    constraint node_certificate_issued_check check (
        (state = 'issued') = (num_nonnulls(certificate, certificate_sha256, authority, expires_at) = 4)),
    constraint node_certificate_size_check check (length(request) <= 4096)
);
-- "What is to be signed", each half second.
create index node_certificates_pending_index on node_certificates (created_at) where state = 'pending';
grant select, insert, update on node_certificates to weir_operator;
grant select, update, delete on node_certificates to weir_provisioner;

create trigger node_enrolment_token_audit after insert or update or delete on node_enrolment_tokens
    for each row execute function audit_row('node_enrolment_token', 'node_', '{token_sha256,request_sha256}', 'node_id');
create trigger node_certificate_audit after insert or update or delete on node_certificates
    for each row execute function audit_row(
        'node_certificate', 'cert_', '{request,request_sha256,certificate,certificate_sha256,authority}');
