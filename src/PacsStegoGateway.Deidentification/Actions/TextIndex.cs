using System.Runtime.InteropServices;

namespace PacsStegoGateway.Deidentification;

/// <summary>A value that is looked for.</summary>
/// <param name="StandsAlone">It counts only as a whole word, or words.</param>
/// <param name="Identifies">It is a name, number, date or UID; otherwise a description.</param>
internal readonly record struct Needle(bool StandsAlone, bool Identifies);

/// <summary>Many byte strings, looked for in a text in one pass.</summary>
/// <remarks>
/// A search costs one look at every byte: the four bytes at each place ask a small bit table whether a value may begin
/// there; only then the lengths of the values that begin so are tried in a dictionary. So thousands of UIDs with one
/// root cost no more than one.
/// </remarks>
internal sealed class TextIndex
{
    private const int StartLength = sizeof(uint);

    private readonly Dictionary<ReadOnlyMemory<byte>, Needle> _needles = new(BytesComparer.Instance);
    private readonly Dictionary<uint, List<int>> _lengthsByStart = [];
    private readonly ulong[] _mayStart = new ulong[64];

    /// <summary>Adds a value of at least four bytes.</summary>
    internal void Add(ReadOnlyMemory<byte> value, Needle needle)
    {
        if (_needles.TryGetValue(value, out Needle known))
        {
            // Two attributes had this value: what holds for the stricter one holds.
            _needles[value] = new Needle(known.StandsAlone && needle.StandsAlone, known.Identifies || needle.Identifies);
            return;
        }

        _needles.Add(value, needle);
        uint start = MemoryMarshal.Read<uint>(value.Span);
        if (!_lengthsByStart.TryGetValue(start, out List<int>? lengths))
        {
            lengths = [];
            _lengthsByStart.Add(start, lengths);
            int bit = BitOf(start);
            _mayStart[bit >> 6] |= 1UL << bit;
        }

        if (!lengths.Contains(value.Length))
        {
            lengths.Add(value.Length);
        }
    }

    /// <summary>True when one of the values occurs.</summary>
    /// <param name="text">Where to look.</param>
    /// <param name="written">The text as it was written, which tells where words end.</param>
    /// <param name="places">For each byte of <paramref name="text"/> its place in <paramref name="written"/>; null when they are the same.</param>
    /// <param name="identifiersOnly">Descriptions do not count.</param>
    internal bool OccursIn(ReadOnlySpan<byte> text, ReadOnlySpan<byte> written, int[]? places, bool identifiersOnly)
    {
        var needles = _needles.GetAlternateLookup<ReadOnlySpan<byte>>();
        for (int i = 0; i + StartLength <= text.Length; i++)
        {
            uint start = MemoryMarshal.Read<uint>(text[i..]);
            int bit = BitOf(start);
            if ((_mayStart[bit >> 6] & (1UL << bit)) == 0 || !_lengthsByStart.TryGetValue(start, out List<int>? lengths))
            {
                continue;
            }

            foreach (int length in lengths)
            {
                if (i + length <= text.Length && needles.TryGetValue(text.Slice(i, length), out Needle needle)
                    && (needle.Identifies || !identifiersOnly)
                    && (!needle.StandsAlone || StandsAlone(written, places?[i] ?? i, places?[i + length - 1] ?? (i + length - 1))))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool StandsAlone(ReadOnlySpan<byte> text, int first, int last) =>
        (first == 0 || !IsWord(text[first - 1])) && (last + 1 == text.Length || !IsWord(text[last + 1]));

    private static bool IsWord(byte character) => char.IsAsciiLetterOrDigit((char)character) || character >= 0x80;

    /// <summary>A bit of the 4096: multiplicative hashing.</summary>
    private static int BitOf(uint start) => (int)((start * 2654435769u) >> 20);

    /// <summary>Byte strings by content, looked up by a span of the text without a copy.</summary>
    private sealed class BytesComparer : IEqualityComparer<ReadOnlyMemory<byte>>, IAlternateEqualityComparer<ReadOnlySpan<byte>, ReadOnlyMemory<byte>>
    {
        internal static readonly BytesComparer Instance = new();

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> bytes) => GetHashCode(bytes.Span);

        public bool Equals(ReadOnlySpan<byte> alternate, ReadOnlyMemory<byte> other) => alternate.SequenceEqual(other.Span);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public ReadOnlyMemory<byte> Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
