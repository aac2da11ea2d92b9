namespace PacsStegoGateway.Security;

/// <summary>
/// A dictionary whose keys strangers choose: it holds so many, and forgets whom it has not seen for longest. Not safe for threads.
/// </summary>
internal sealed class BoundedMemory<TKey, TValue>(int capacity = 4096)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _byKey = [];
    private readonly LinkedList<(TKey Key, TValue Value)> _byUse = new();

    public int Count => _byKey.Count;

    public TValue GetOrAdd(TKey key, Func<TValue> create)
    {
        if (_byKey.TryGetValue(key, out LinkedListNode<(TKey Key, TValue Value)>? node))
        {
            _byUse.Remove(node);
            _byUse.AddLast(node);
            return node.Value.Value;
        }

        if (_byKey.Count == capacity)
        {
            _byKey.Remove(_byUse.First!.Value.Key);
            _byUse.RemoveFirst();
        }

        TValue value = create();
        _byKey.Add(key, _byUse.AddLast((key, value)));
        return value;
    }

    public bool TryGet(TKey key, out TValue value)
    {
        bool found = _byKey.TryGetValue(key, out LinkedListNode<(TKey Key, TValue Value)>? node);
        value = found ? node!.Value.Value : default!;
        return found;
    }

    public void Remove(TKey key)
    {
        if (_byKey.Remove(key, out LinkedListNode<(TKey Key, TValue Value)>? node))
        {
            _byUse.Remove(node);
        }
    }
}
