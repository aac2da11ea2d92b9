using System.Net;
using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Dimse;

/// <summary>
/// Connections that hold no association yet: silent ones, those in a TLS handshake, those that were rejected and do not go.
/// There may be so many in all and from each address; the oldest gives way to a new one, so that silence locks nobody out.
/// </summary>
/// <param name="options">Asked each time: the limits change with the configuration.</param>
public sealed class PendingConnections(Func<ListenOptions> options)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Entry> _byAge = new();

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byAge.Count;
            }
        }
    }

    /// <summary>Adds a connection; one that is too many is closed through its own <paramref name="close"/> first.</summary>
    /// <param name="address">Where it comes from; null counts as one address of its own.</param>
    /// <param name="close">Called at most once, from another connection's thread.</param>
    /// <param name="evicted">Where the connection that had to go came from; null when none had to.</param>
    /// <returns>To be left when the association is accepted or the connection is over.</returns>
    public Entry Enter(IPAddress? address, Action close, out IPAddress? evicted)
    {
        var entry = new Entry(this, address ?? IPAddress.None, close);
        Entry? oldest = null;
        ListenOptions now = options();
        lock (_gate)
        {
            if (_byAge.Count(e => e.Address.Equals(entry.Address)) >= now.MaxPendingConnectionsPerAddress)
            {
                oldest = _byAge.First(e => e.Address.Equals(entry.Address));
            }
            else if (_byAge.Count >= now.MaxPendingConnections)
            {
                oldest = _byAge.First!.Value;
            }

            if (oldest is not null)
            {
                _byAge.Remove(oldest);
            }

            _byAge.AddLast(entry);
        }

        evicted = oldest?.Address;
        oldest?.Close();
        return entry;
    }

    private void Leave(Entry entry)
    {
        lock (_gate)
        {
            _byAge.Remove(entry);
        }
    }

    /// <summary>One connection's place.</summary>
    public sealed class Entry(PendingConnections all, IPAddress address, Action close) : IDisposable
    {
        public IPAddress Address => address;

        /// <summary>It has its association, or is gone; may be called more than once.</summary>
        public void Dispose() => all.Leave(this);

        internal void Close() => close();
    }
}
