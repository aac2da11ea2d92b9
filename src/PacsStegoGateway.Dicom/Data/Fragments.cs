using System.Collections;

namespace PacsStegoGateway.Dicom;

/// <summary>
/// The fragments of encapsulated pixel data (PS3.5 A.4), the first being the Basic Offset Table: views, of which one is
/// in memory while it is looked at. Together they may be longer than any array.
/// </summary>
public sealed class Fragments : IReadOnlyList<ReadOnlyMemory<byte>>
{
    private readonly List<(ByteSource Source, long Offset, long Length)> _fragments;

    public Fragments() => _fragments = [];

    /// <param name="fragments">In order; held, not copied.</param>
    public Fragments(IEnumerable<ByteSource> fragments) =>
        _fragments = [.. fragments.Select(static f => (f, 0L, f.Length))];

    private Fragments(List<(ByteSource Source, long Offset, long Length)> fragments) => _fragments = fragments;

    /// <summary>The Basic Offset Table counts as one.</summary>
    public int Count => _fragments.Count;

    /// <summary>Bytes of all fragments, the Basic Offset Table included, without their headers.</summary>
    public long TotalLength => _fragments.Sum(static f => f.Length);

    /// <summary>The fragment in memory; where it lies in a file, each call reads it.</summary>
    /// <exception cref="DicomContentException">It is longer than <see cref="Element.MostLoaded"/>: use <see cref="SourceOf"/>.</exception>
    public ReadOnlyMemory<byte> this[int index] => Element.Load(Tags.PixelData, SourceOf(index));

    public long LengthOf(int index) => _fragments[index].Length;

    /// <summary>The fragment where it lies.</summary>
    public ByteSource SourceOf(int index)
    {
        (ByteSource source, long offset, long length) = _fragments[index];
        return source.Slice(offset, length);
    }

    /// <summary>A copy of the list in which other fragments stand for some of these.</summary>
    public Fragments Replace(int first, int count, params ReadOnlySpan<ByteSource> replacement)
    {
        List<(ByteSource Source, long Offset, long Length)> fragments = [.. _fragments];
        fragments.RemoveRange(first, count);
        for (int i = 0; i < replacement.Length; i++)
        {
            fragments.Insert(first + i, (replacement[i], 0, replacement[i].Length));
        }

        return new Fragments(fragments);
    }

    public IEnumerator<ReadOnlyMemory<byte>> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>For the reader alone: a list that was given out does not change.</summary>
    internal void Add(ByteSource source, long offset, long length) => _fragments.Add((source, offset, length));
}
