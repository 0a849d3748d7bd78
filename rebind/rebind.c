/*
 * rebind: moves a program's bind() to one port onto a free loopback port, without the program noticing.
 *
 * Preloaded (LD_PRELOAD) into a wrapped program and its children. With REBIND_OLD_PORT=5900 and
 * REBIND_NEW_PORT=41234 in the environment, a stream socket that asks for port 5900 on any IPv4, IPv6 or v4-mapped
 * address is bound to port 41234 on the loopback address of the same family; getsockname() goes on telling the
 * address and port that were asked for. Every other port, family and kind of socket is left untouched, and so is
 * everything when the variables are missing or are no port numbers. The environment is only read, so children get
 * the same treatment.
 *
 * Both functions may be called from any thread, from signal handlers and after fork(), as POSIX lets bind() and
 * getsockname() be: no lock is taken and no memory is allocated.
 *
 * See bind(2), getsockname(2), ip(7), ipv6(7), ld.so(8); RFC 4291, section 2.5.5.2 for v4-mapped addresses.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define EXPORTED __attribute__((visibility("default")))

/* What the kernel asks of an IPv6 address at least: sockaddr_in6 as in RFC 2133, without sin6_scope_id. */
#define SHORTEST_IPV6 offsetof(struct sockaddr_in6, sin6_scope_id)

typedef int bind_function(int, const struct sockaddr *, socklen_t);
typedef int getsockname_function(int, struct sockaddr *restrict, socklen_t *restrict);

union address {
    struct sockaddr plain;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

static _Atomic(bind_function *) next_bind;
static _Atomic(getsockname_function *) next_getsockname;
static in_port_t old_port, new_port; /* network byte order; 0: nothing is moved. Written once, before main(). */

/* ---- What was asked for, by socket ------------------------------------------------------------------------------
 * Keyed by the socket's inode, which dup(), fork() and passing over a unix socket keep and a reused descriptor does
 * not. A slot whose sequence is odd is being written; readers take a slot only if its sequence was even and the same
 * before and after. When all are taken the oldest goes; its socket then tells loopback and the port asked for. */

enum { SLOTS = 256, WORDS = (sizeof(struct sockaddr_in6) + 7) / 8 };

static struct slot {
    _Atomic uint32_t sequence;
    _Atomic uint64_t inode;
    _Atomic uint64_t words[WORDS];
} slots[SLOTS];
static _Atomic uint32_t next_slot;

static uint64_t inode_of(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static void remember(int descriptor, const union address *asked)
{
    uint64_t inode = inode_of(descriptor), words[WORDS];
    if (inode == 0)
        return;
    memcpy(words, asked, sizeof words);
    for (int attempt = 0; attempt < SLOTS; attempt++) {
        struct slot *slot = &slots[atomic_fetch_add(&next_slot, 1) % SLOTS];
        uint32_t sequence = atomic_load(&slot->sequence);
        if (sequence % 2 != 0 || !atomic_compare_exchange_strong(&slot->sequence, &sequence, sequence + 1))
            continue;
        atomic_store(&slot->inode, inode);
        for (int i = 0; i < WORDS; i++)
            atomic_store(&slot->words[i], words[i]);
        atomic_store(&slot->sequence, sequence + 2);
        return;
    }
}

/* Puts what `descriptor` asked for into `asked`; false when that is not known. */
static bool recall(int descriptor, union address *asked)
{
    uint64_t inode = inode_of(descriptor), words[WORDS];
    for (int i = 0; inode != 0 && i < SLOTS; i++) {
        uint32_t sequence = atomic_load(&slots[i].sequence);
        if (sequence % 2 != 0 || atomic_load(&slots[i].inode) != inode)
            continue;
        for (int word = 0; word < WORDS; word++)
            words[word] = atomic_load(&slots[i].words[word]);
        if (atomic_load(&slots[i].sequence) != sequence)
            continue;
        memcpy(asked, words, sizeof words);
        return true;
    }
    return false;
}

/* ---- Addresses -------------------------------------------------------------------------------------------------- */

static const struct in6_addr mapped_loopback = {{{[10] = 0xff, 0xff, 127, 0, 0, 1}}};

/* The length of an IPv4 or IPv6 address, 0 for other families. */
static socklen_t length_of(const union address *address)
{
    switch (address->plain.sa_family) {
    case AF_INET:
        return sizeof address->v4;
    case AF_INET6:
        return sizeof address->v6;
    default:
        return 0;
    }
}

static in_port_t *port_of(union address *address)
{
    return address->plain.sa_family == AF_INET ? &address->v4.sin_port : &address->v6.sin6_port;
}

/* Copies an address of the caller's; false when it is no whole IPv4 or IPv6 address, and so the kernel's to judge. */
static bool take(union address *copy, const struct sockaddr *address, socklen_t length)
{
    if (address == NULL || length < sizeof(struct sockaddr_in) || length > sizeof copy->storage)
        return false;
    memset(copy, 0, sizeof *copy);
    memcpy(copy, address, length);
    return copy->plain.sa_family == AF_INET || (copy->plain.sa_family == AF_INET6 && length >= SHORTEST_IPV6);
}

static void move_to_loopback(union address *address)
{
    if (address->plain.sa_family == AF_INET) {
        address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        address->v6.sin6_addr = IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr) ? mapped_loopback : in6addr_loopback;
        address->v6.sin6_scope_id = 0;
    }
    *port_of(address) = new_port;
}

/* Whether `address` is where this library puts sockets. */
static bool is_moved(union address *address)
{
    const struct in6_addr *v6 = &address->v6.sin6_addr;
    if (length_of(address) == 0 || *port_of(address) != new_port)
        return false;
    if (address->plain.sa_family == AF_INET)
        return address->v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
    return IN6_IS_ADDR_LOOPBACK(v6) || IN6_ARE_ADDR_EQUAL(v6, &mapped_loopback);
}

static bool has_option(int descriptor, int level, int name, int wanted)
{
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, level, name, &value, &length) == 0 && value == wanted;
}

/* ---- Start ------------------------------------------------------------------------------------------------------ */

/* A port in network byte order from an environment variable; 0 when it is missing or no port number. */
static in_port_t port_from(const char *variable)
{
    const char *text = getenv(variable);
    unsigned long port = 0;
    if (text == NULL || *text == '\0')
        return 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return 0;
        port = port * 10 + (unsigned long)(*text - '0');
        if (port > UINT16_MAX)
            return 0;
    }
    return htons((uint16_t)port);
}

/* The next library's functions; looked up again where another library's constructor binds before ours has run. */
static bind_function *real_bind(void)
{
    bind_function *found = atomic_load(&next_bind);
    if (found == NULL) {
        *(void **)&found = dlsym(RTLD_NEXT, "bind");
        atomic_store(&next_bind, found);
    }
    return found;
}

static getsockname_function *real_getsockname(void)
{
    getsockname_function *found = atomic_load(&next_getsockname);
    if (found == NULL) {
        *(void **)&found = dlsym(RTLD_NEXT, "getsockname");
        atomic_store(&next_getsockname, found);
    }
    return found;
}

__attribute__((constructor)) static void start(void)
{
    (void)real_bind();
    (void)real_getsockname();
    old_port = port_from("REBIND_OLD_PORT");
    new_port = port_from("REBIND_NEW_PORT");
    if (old_port == 0 || new_port == 0)
        old_port = new_port = 0;
}

/* ---- What programs call ----------------------------------------------------------------------------------------- */

EXPORTED int bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
    bind_function *real = real_bind();
    union address asked, moved;

    if (real == NULL) {
        errno = ENOSYS;
        return -1;
    }
    if (old_port == 0 || !take(&asked, address, length) || *port_of(&asked) != old_port ||
        !has_option(descriptor, SOL_SOCKET, SO_TYPE, SOCK_STREAM))
        return real(descriptor, address, length);

    moved = asked;
    move_to_loopback(&moved);
    int result = real(descriptor, &moved.plain, length_of(&moved));
    if (result != 0 && errno == EADDRNOTAVAIL && asked.plain.sa_family == AF_INET6 &&
        has_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0)) {
        /* No ::1 here (IPv6 is switched off, as in many containers), where [::] would have worked for IPv4. */
        moved.v6.sin6_addr = mapped_loopback;
        result = real(descriptor, &moved.plain, length_of(&moved));
    }
    if (result == 0)
        remember(descriptor, &asked);
    return result;
}

EXPORTED int getsockname(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length)
{
    getsockname_function *real = real_getsockname();
    socklen_t room = length != NULL ? *length : 0;
    union address bound, asked, peer;
    socklen_t whole = sizeof bound, peer_length = sizeof peer;

    if (real == NULL) {
        errno = ENOSYS;
        return -1;
    }
    int result = real(descriptor, address, length);
    if (result != 0 || old_port == 0)
        return result;

    /* Again into room of our own: the caller's may be too short to hold the port. */
    int error = errno;
    memset(&bound, 0, sizeof bound);
    if (real(descriptor, &bound.plain, &whole) == 0 && is_moved(&bound)) {
        /* A connection's own address is loopback in truth; only what waits for connections told another one. */
        if (getpeername(descriptor, &peer.plain, &peer_length) != 0 && recall(descriptor, &asked))
            bound = asked;
        *port_of(&bound) = old_port;
        socklen_t told = length_of(&bound);
        memcpy(address, &bound, room < told ? room : told);
        *length = told;
    }
    errno = error;
    return result;
}
