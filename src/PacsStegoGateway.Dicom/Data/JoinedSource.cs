namespace PacsStegoGateway.Dicom;

/// <summary>Several sources, one after the other, as one: an encoded data set is headers in memory between values in a file.</summary>
internal sealed class JoinedSource : ByteSource
{
    private readonly ByteSource[] _parts;

    /// <summary>Where each part begins; ascending.</summary>
    private readonly long[] _starts;

    private JoinedSource(ByteSource[] parts)
    {
        _parts = parts;
        _starts = new long[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            _starts[i] = Length;
            Length += parts[i].Length;
        }
    }

    public override long Length { get; }

    public static ByteSource Of(ReadOnlySpan<ByteSource> sources)
    {
        var parts = new List<ByteSource>(sources.Length);
        foreach (ByteSource source in sources)
        {
            if (source is JoinedSource joined)
            {
                parts.AddRange(joined._parts);
            }
            else if (source.Length > 0)
            {
                parts.Add(source);
            }
        }

        return parts.Count switch
        {
            0 => Empty,
            1 => parts[0],
            _ => new JoinedSource([.. parts]),
        };
    }

    public override void Pass(ChunkAction action)
    {
        foreach (ByteSource part in _parts)
        {
            part.Pass(action);
        }
    }

    protected internal override void ReadInside(long offset, Span<byte> destination)
    {
        for (int i = PartAt(offset); !destination.IsEmpty; i++)
        {
            long at = offset - _starts[i];
            int length = (int)Math.Min(destination.Length, _parts[i].Length - at);
            _parts[i].ReadInside(at, destination[..length]);
            destination = destination[length..];
            offset += length;
        }
    }

    protected override ByteSource SliceInside(long offset, long length)
    {
        var parts = new List<ByteSource>();
        for (int i = PartAt(offset); length > 0; i++)
        {
            long at = offset - _starts[i];
            long some = Math.Min(length, _parts[i].Length - at);
            parts.Add(_parts[i].Slice(at, some));
            offset += some;
            length -= some;
        }

        return parts.Count == 1 ? parts[0] : new JoinedSource([.. parts]);
    }

    private int PartAt(long offset)
    {
        int index = Array.BinarySearch(_starts, offset);
        return index >= 0 ? index : ~index - 1;
    }
}
