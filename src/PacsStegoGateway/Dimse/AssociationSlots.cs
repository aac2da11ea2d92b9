using System.Collections.Concurrent;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Retrieval;

namespace PacsStegoGateway.Dimse;

/// <summary>How many associations are open, in all and of each caller. A few above the limit are kept for verification alone.</summary>
/// <param name="options">Asked each time: the limits change with the configuration.</param>
public sealed class AssociationSlots(Func<GatewayOptions> options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _perAE = [];
    private int _all;

    /// <summary>True when there was a free slot, now taken; to be given back by <see cref="Leave"/>.</summary>
    /// <param name="isVerification">The association can do nothing but C-ECHO: whether we are well must be known above all when we are full.</param>
    public bool TryEnter(string callingAE, bool isVerification)
    {
        GatewayOptions now = options();
        int reserve = isVerification ? now.Limits.VerificationReserve : 0;
        lock (_gate)
        {
            int own = _perAE.GetValueOrDefault(callingAE);
            if (_all >= now.Listen.MaxAssociations + reserve || own >= now.Listen.MaxAssociationsPerAE + reserve)
            {
                return false;
            }

            _all++;
            _perAE[callingAE] = own + 1;
            return true;
        }
    }

    public void Leave(string callingAE)
    {
        lock (_gate)
        {
            _all--;
            if (--_perAE[callingAE] == 0)
            {
                _perAE.Remove(callingAE);
            }
        }
    }
}

/// <summary>Instances that the PACS was asked to send to us by C-MOVE: who waits for each of them.</summary>
public sealed class AwaitedInstances
{
    private readonly ConcurrentDictionary<string, OnInstance> _waiting = new();

    public bool TryAdd(string sopInstanceUID, OnInstance onInstance) => _waiting.TryAdd(sopInstanceUID, onInstance);

    public void Remove(string sopInstanceUID) => _waiting.TryRemove(sopInstanceUID, out _);

    public OnInstance? Find(string sopInstanceUID) => _waiting.GetValueOrDefault(sopInstanceUID);
}
