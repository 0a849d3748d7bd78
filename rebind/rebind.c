/*
 * rebind: moves a program's bind() to one port onto a free loopback port, without the program noticing.
 *
 * Preloaded (LD_PRELOAD; on macOS DYLD_INSERT_LIBRARIES, not proven there) into a wrapped program and its children.
 * With REBIND_OLD_PORT=5900 and REBIND_NEW_PORT=41234 in the environment, a stream socket that asks for port 5900 on
 * any IPv4, IPv6 or v4-mapped address is bound to port 41234 on the loopback address of the same family. Every other
 * port, family and kind of socket is left untouched, and so is everything when the variables are missing or are no
 * port numbers.
 *
 * getsockname() goes on telling a listening socket's address and port as they were asked for. A connection's own
 * address is told as it is, which is loopback, but with the port that was asked for.
 *
 * Children need the variables, so they stay in the environment while the port may still be bound: some programs try
 * the port and leave it to a child, others run themselves anew. Once a process has accepted a connection on the moved
 * port, the library has done its work for it, and what it forks from then on is there for its clients (a login, a
 * script): such a child gets the environment that there would have been without us.
 *
 * All functions may be called from any thread, from signal handlers and after fork(), as POSIX lets bind(), accept()
 * and getsockname() be: no lock is taken and no memory is allocated.
 *
 * See bind(2), accept(2), getsockname(2), ip(7), ipv6(7), ld.so(8), pthread_atfork(3); RFC 4291, section 2.5.5.2 for
 * v4-mapped addresses.
 */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifdef __APPLE__
#include <crt_externs.h>
#define ENVIRONMENT (*_NSGetEnviron())
#define PRELOAD "DYLD_INSERT_LIBRARIES="
/* dyld's table, at the end, says what takes whose place; in here the names go on meaning the system's functions. */
#define REPLACEMENT(name) static int our_##name
#else
extern char **environ;
#define ENVIRONMENT environ
#define PRELOAD "LD_PRELOAD="
#define REPLACEMENT(name) __attribute__((visibility("default"))) int name
#endif

/* What the kernel asks of an IPv6 address at least: sockaddr_in6 as in RFC 2133, without sin6_scope_id. */
#define SHORTEST_IPV6 offsetof(struct sockaddr_in6, sin6_scope_id)

union address {
    struct sockaddr plain;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

/* Written once, before main(). */
static in_port_t old_port, new_port; /* network byte order; 0: nothing is moved */
static const char *own_path;         /* as the loader was told it */

static atomic_bool serving; /* this process has accepted a connection on the moved port */

/* ---- The system's functions -------------------------------------------------------------------------------------
 * Those of the next library, which may be another preload's; looked up at their first use, as another library's
 * constructor may bind before ours has run. */

#ifdef __APPLE__
#define NEXT(name, ...) static int (*real_##name(void))(__VA_ARGS__) { return name; }
#else
#define NEXT(name, ...)                                                                                               \
    static int (*real_##name(void))(__VA_ARGS__)                                                                      \
    {                                                                                                                 \
        typedef int type(__VA_ARGS__);                                                                                \
        static _Atomic(type *) next;                                                                                  \
        type *found = atomic_load(&next);                                                                             \
        if (found == NULL) {                                                                                          \
            *(void **)&found = dlsym(RTLD_NEXT, #name);                                                               \
            atomic_store(&next, found);                                                                               \
        }                                                                                                             \
        return found;                                                                                                 \
    }
#endif

NEXT(bind, int, const struct sockaddr *, socklen_t)
NEXT(getsockname, int, struct sockaddr *restrict, socklen_t *restrict)
NEXT(accept, int, struct sockaddr *restrict, socklen_t *restrict)
#ifdef __linux__
NEXT(accept4, int, struct sockaddr *restrict, socklen_t *restrict, int)
#endif

static int missing(void)
{
    errno = ENOSYS;
    return -1;
}

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

/* ---- The environment of what a serving process forks ------------------------------------------------------------ */

/* Takes this library out of a list of preloads, which colons or spaces separate; the rest stays as it is. */
static void take_out_own_path(char *list)
{
    size_t length = own_path != NULL ? strlen(own_path) : 0;
    for (char *entry = list; length != 0 && *entry != '\0';) {
        size_t entry_length = strcspn(entry, ": ");
        char *next = entry + entry_length + (entry[entry_length] != '\0');
        if (entry_length == length && strncmp(entry, own_path, length) == 0)
            memmove(entry, next, strlen(next) + 1);
        else
            entry = next;
    }
}

/* Whether nothing of a variable is left when what is ours is taken out. */
static bool is_ours(char *variable)
{
    if (strncmp(variable, "REBIND_OLD_PORT=", 16) == 0 || strncmp(variable, "REBIND_NEW_PORT=", 16) == 0)
        return true;
    if (strncmp(variable, PRELOAD, strlen(PRELOAD)) != 0)
        return false;
    take_out_own_path(variable + strlen(PRELOAD));
    return variable[strlen(PRELOAD)] == '\0';
}

/* Called in each forked child, where there is one thread only. Nothing is written where there is nothing of ours. */
static void clean_environment(void)
{
    char **kept = ENVIRONMENT;
    if (!atomic_load(&serving) || kept == NULL)
        return;
    char **variable = kept;
    for (; *variable != NULL; variable++) {
        if (is_ours(*variable))
            continue;
        if (kept != variable)
            *kept = *variable;
        kept++;
    }
    if (kept != variable)
        *kept = NULL;
}

static void note_service(int descriptor)
{
    union address bound;
    socklen_t length = sizeof bound;
    int error = errno;
    if (old_port == 0 || atomic_load_explicit(&serving, memory_order_relaxed))
        return;
    if (real_getsockname()(descriptor, &bound.plain, &length) == 0 && is_moved(&bound))
        atomic_store(&serving, true);
    errno = error;
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

__attribute__((constructor)) static void start(void)
{
    Dl_info self;
    in_port_t asked = port_from("REBIND_OLD_PORT"), free_port = port_from("REBIND_NEW_PORT");
    if (asked == 0 || free_port == 0)
        return;
    if (dladdr(&slots, &self) != 0)
        own_path = self.dli_fname;
    pthread_atfork(NULL, NULL, clean_environment);
    new_port = free_port;
    old_port = asked;
}

/* ---- What programs call ----------------------------------------------------------------------------------------- */

REPLACEMENT(bind)(int descriptor, const struct sockaddr *address, socklen_t length)
{
    union address asked, moved;

    if (real_bind() == NULL)
        return missing();
    if (old_port == 0 || !take(&asked, address, length) || *port_of(&asked) != old_port ||
        !has_option(descriptor, SOL_SOCKET, SO_TYPE, SOCK_STREAM))
        return real_bind()(descriptor, address, length);

    moved = asked;
    move_to_loopback(&moved);
    int result = real_bind()(descriptor, &moved.plain, length_of(&moved));
    if (result != 0 && errno == EADDRNOTAVAIL && asked.plain.sa_family == AF_INET6 &&
        has_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0)) {
        /* No ::1 here (IPv6 is switched off, as in many containers), where [::] would have worked for IPv4. */
        moved.v6.sin6_addr = mapped_loopback;
        result = real_bind()(descriptor, &moved.plain, length_of(&moved));
    }
    if (result == 0)
        remember(descriptor, &asked);
    return result;
}

REPLACEMENT(getsockname)(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length)
{
    socklen_t room = length != NULL ? *length : 0;
    union address bound, asked, peer;
    socklen_t whole = sizeof bound, peer_length = sizeof peer;

    if (real_getsockname() == NULL)
        return missing();
    int result = real_getsockname()(descriptor, address, length);
    if (result != 0 || old_port == 0)
        return result;

    /* Again into room of our own: the caller's may be too short to hold the port. */
    int error = errno;
    memset(&bound, 0, sizeof bound);
    if (real_getsockname()(descriptor, &bound.plain, &whole) == 0 && is_moved(&bound)) {
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

REPLACEMENT(accept)(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length)
{
    if (real_accept() == NULL)
        return missing();
    int accepted = real_accept()(descriptor, address, length);
    if (accepted >= 0)
        note_service(descriptor);
    return accepted;
}

#ifdef __linux__
REPLACEMENT(accept4)(int descriptor, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    if (real_accept4() == NULL)
        return missing();
    int accepted = real_accept4()(descriptor, address, length, flags);
    if (accepted >= 0)
        note_service(descriptor);
    return accepted;
}
#endif

#ifdef __APPLE__
__attribute__((used, section("__DATA,__interpose"))) static const struct {
    const void *ours, *theirs;
} interposed[] = {
    {(const void *)our_bind, (const void *)bind},
    {(const void *)our_getsockname, (const void *)getsockname},
    {(const void *)our_accept, (const void *)accept},
};
#endif
