// Much of OpenSSL's interface is macros that Swift cannot import; each is given a function here, and nothing more.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Contexts.
static inline void copenssl_ctx_set_mode(SSL_CTX *ctx, long mode) { SSL_CTX_set_mode(ctx, mode); }
static inline int copenssl_ctx_set_versions(SSL_CTX *ctx, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(ctx, lowest) && SSL_CTX_set_max_proto_version(ctx, highest);
}
static inline int copenssl_ctx_set_groups(SSL_CTX *ctx, const char *list) { return (int)SSL_CTX_set1_groups_list(ctx, list); }
static inline void copenssl_ctx_set_longest_chain(SSL_CTX *ctx, long bytes) { SSL_CTX_set_max_cert_list(ctx, bytes); }
static inline void copenssl_ctx_set_session_cache_mode(SSL_CTX *ctx, long mode) { SSL_CTX_set_session_cache_mode(ctx, mode); }
static inline void copenssl_ctx_set_server_name_callback(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *), void *argument) {
    SSL_CTX_set_tlsext_servername_callback(ctx, callback);
    SSL_CTX_set_tlsext_servername_arg(ctx, argument);
}
static inline void copenssl_ctx_set_status_callback(SSL_CTX *ctx, int (*callback)(SSL *, void *), void *argument) {
    SSL_CTX_set_tlsext_status_cb(ctx, callback);
    SSL_CTX_set_tlsext_status_arg(ctx, argument);
}
static inline int copenssl_ctx_request_status(SSL_CTX *ctx) {
    return (int)SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
}
static inline void copenssl_ctx_set_owner(SSL_CTX *ctx, void *owner) { SSL_CTX_set_app_data(ctx, owner); }
static inline void *copenssl_ctx_owner(const SSL_CTX *ctx) { return SSL_CTX_get_app_data(ctx); }
static inline int copenssl_ctx_add_to_chain(SSL_CTX *ctx, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(ctx, certificate);
}

static const uint64_t copenssl_no_renegotiation = SSL_OP_NO_RENEGOTIATION;
static const uint64_t copenssl_no_compression = SSL_OP_NO_COMPRESSION;
static const uint64_t copenssl_no_ticket = SSL_OP_NO_TICKET;
static const long copenssl_modes = SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN;
static const long copenssl_client_cache = SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL;
static const unsigned long copenssl_name_format = XN_FLAG_RFC2253;
static const long copenssl_no_cache = SSL_SESS_CACHE_OFF;

// Sessions.
static inline void copenssl_set_owner(SSL *ssl, void *owner) { SSL_set_app_data(ssl, owner); }
static inline void *copenssl_owner(SSL *ssl) { return SSL_get_app_data(ssl); }
static inline int copenssl_set_server_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }
static inline void copenssl_set_signatures(SSL *ssl, const char *list) { SSL_set1_sigalgs_list(ssl, list); }
static inline long copenssl_status_response(SSL *ssl, const unsigned char **response) {
    return SSL_get_tlsext_status_ocsp_resp(ssl, response);
}
// Takes over `response`, which came from OPENSSL_malloc.
static inline void copenssl_set_status_response(SSL *ssl, void *response, long length) {
    SSL_set_tlsext_status_ocsp_resp(ssl, response, length);
}
static inline void *copenssl_malloc(size_t size) { return OPENSSL_malloc(size); }
static inline void copenssl_free(void *memory) { OPENSSL_free(memory); }

// Deprecated since 3.0, but its successor looks HMAC and the digest up by their names for each ticket.
typedef int (*copenssl_ticket_callback)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, HMAC_CTX *, int);
static inline void copenssl_set_ticket_callback(SSL_CTX *context, copenssl_ticket_callback callback) {
    SSL_CTX_set_tlsext_ticket_key_cb(context, callback);
}
static inline int copenssl_mac_start(HMAC_CTX *mac, const void *key, int length, const EVP_MD *digest) {
    return HMAC_Init_ex(mac, key, length, digest, NULL);
}

// Certificates and what is said about them.
static inline GENERAL_NAMES *copenssl_alternative_names(const X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}
// The kind of a name, and its bytes if it is a DNS name or an IP address.
static inline int copenssl_name(const GENERAL_NAME *name, const unsigned char **bytes, long *count) {
    int kind = 0;
    const ASN1_STRING *value = (const ASN1_STRING *)GENERAL_NAME_get0_value(name, &kind);
    if (kind == GEN_DNS || kind == GEN_IPADD) {
        *bytes = ASN1_STRING_get0_data(value);
        *count = ASN1_STRING_length(value);
    }
    return kind;
}
static inline X509 *copenssl_chain_at(const STACK_OF(X509) *chain, int index) { return sk_X509_value(chain, index); }
static inline int copenssl_chain_count(const STACK_OF(X509) *chain) { return sk_X509_num(chain); }
static inline OCSP_CERTID *copenssl_single_id(OCSP_SINGLERESP *single) {
    return (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single);
}
static inline const EVP_MD *copenssl_digest_of(OCSP_CERTID *id) {
    ASN1_OBJECT *digest = NULL;
    OCSP_id_get0_info(NULL, &digest, NULL, NULL, id);
    return EVP_get_digestbyobj(digest);
}
static inline int copenssl_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline GENERAL_NAME *copenssl_names_at(const GENERAL_NAMES *names, int index) { return sk_GENERAL_NAME_value(names, index); }
static inline void copenssl_names_free(GENERAL_NAMES *names) { GENERAL_NAMES_free(names); }

// The error queue.
static inline int copenssl_library(unsigned long code) { return ERR_GET_LIB(code); }
static inline int copenssl_reason(unsigned long code) { return ERR_GET_REASON(code); }
// Want of memory, an internal error and the like.
static inline int copenssl_is_fatal(unsigned long code) { return ERR_FATAL_ERROR(code) != 0; }
static inline int copenssl_is_end_of_pem(unsigned long code) {
    return code == 0 || (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE);
}

static inline EVP_PKEY *copenssl_make_p256_key(void) { return EVP_EC_gen("P-256"); }
static inline EVP_PKEY *copenssl_make_rsa_key(unsigned int bits) { return EVP_RSA_gen(bits); }

#endif
