using System.Buffers.Binary;
using System.Text;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Fuzz;

/// <summary>Makes one input out of seeds, the same for the same number.</summary>
internal sealed class Mutator(IEnumerable<Layout> seeds)
{
    /// <summary>How often each kind is made, so that a corpus of one kind does not drown the others.</summary>
    private static readonly InputKind[] Shares =
    [
        InputKind.Implicit, InputKind.Implicit, InputKind.Implicit, InputKind.Explicit, InputKind.Explicit, InputKind.Explicit, InputKind.Explicit, InputKind.Explicit,
        InputKind.BigEndian, InputKind.BigEndian, InputKind.Deflated, InputKind.File, InputKind.File, InputKind.Pdu, InputKind.Pdu, InputKind.Pdu, InputKind.Command,
        InputKind.Json, InputKind.Json, InputKind.Json,
    ];

    private readonly Dictionary<InputKind, Layout[]> _seeds = seeds.GroupBy(static s => s.Input.Kind).ToDictionary(static g => g.Key, static g => g.ToArray());

    /// <summary>No input is made longer than this, in bytes: more of the same finds nothing new.</summary>
    private const int Longest = 1 << 16;

    private static readonly byte[][] DataSetPieces =
    [
        [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF], // item, delimited
        [0xFE, 0xFF, 0x00, 0xE0, 0x00, 0x00, 0x00, 0x00], // item, empty
        [0xFE, 0xFF, 0x0D, 0xE0, 0x00, 0x00, 0x00, 0x00], // end of item
        [0xFE, 0xFF, 0xDD, 0xE0, 0x00, 0x00, 0x00, 0x00], // end of sequence
        [0xFF, 0xFE, 0xE0, 0x00, 0xFF, 0xFF, 0xFF, 0xFF],
        [0xFF, 0xFE, 0xE0, 0x0D, 0x00, 0x00, 0x00, 0x00],
        [0xFF, 0xFE, 0xE0, 0xDD, 0x00, 0x00, 0x00, 0x00],
        [0x08, 0x00, 0x40, 0x11, 0xFF, 0xFF, 0xFF, 0xFF], // a sequence, implicit
        [0x08, 0x00, 0x40, 0x11, (byte)'S', (byte)'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        [0x08, 0x00, 0x40, 0x11, (byte)'U', (byte)'N', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        [0xE0, 0x7F, 0x10, 0x00, (byte)'O', (byte)'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        [0x28, 0x00, 0x03, 0x01, (byte)'U', (byte)'S', 2, 0, 1, 0],
        [0x08, 0x00, 0x05, 0x00, (byte)'C', (byte)'S', 16, 0, .. "\\ISO 2022 IR 149"u8],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0x1B, (byte)'$', (byte)'B'], [0x1B, (byte)'$', (byte)')', (byte)'C'], [0x1B, (byte)'$', (byte)'(', (byte)'D'], [0x1B, (byte)'(', (byte)'B'], [0x1B],
        [(byte)'\\'], [(byte)'='], [(byte)'^'],
    ];

    private static readonly byte[][] PduPieces =
    [
        [0x04, 0, 0, 0, 0, 6, 0, 0, 0, 2, 1, 3], [0x05, 0, 0, 0, 0, 4, 0, 0, 0, 0], [0x07, 0, 0, 0, 0, 4, 0, 0, 2, 1], [0x03, 0, 0, 0, 0, 4, 0, 1, 1, 1],
        [0x20, 0, 0, 4, 1, 0, 0, 0], [0x40, 0, 0, 0], [0x30, 0, 0, 1, (byte)'1'], [0x50, 0, 0, 0], [0x51, 0, 0, 4, 0, 0, 0, 0], [0x58, 0, 0, 2, 1, 1],
        [0x54, 0, 0, 4, 0, 0, 1, 1], [0x56, 0, 0, 4, 0, 0, 1, 1], [0x53, 0, 0, 4, 0, 1, 0, 1], [0x00], [0xFF, 0xFF, 0xFF, 0xFF],
    ];

    private static readonly byte[][] JsonValues =
    [
        .. ((string[])
        [
            "null", "true", "0", "-0", "-1", "1e999", "1E-5", "65536", "4294967296", "18446744073709551616", "0.1", "1.0", "\"\"", "\"\\uD800\"", "\"\\u0000\"", "\" \"", "\"0\"", "\"1e400\"",
            "\"A\\\\B\"", "\"A=B\"", "\"é\"", "\"ﾔﾏ\"", "\"NaN\"", "\"-Infinity\"", "\"AQ==\"", "\"*\"", "\"00100010\"", "\"=\"", "\"+1\"", "\"\\u001b$B\"", "[]", "{}", "[null]", "{\"Alphabetic\":\"A\"}",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly byte[][] JsonPieces =
    [
        .. JsonValues,
        .. ((string[])
        [
            "{", "}", "[", "]", ",", ":", "\"", "\"vr\":\"SQ\"", "\"vr\":\"PN\"", "\"vr\":\"FD\"", "\"vr\":\"UN\"", "\"Value\":",
            "\"InlineBinary\":\"AAEC\"", "\"BulkDataURI\":\"x\"", "\"00081140\":{\"vr\":\"SQ\",\"Value\":[", "]}", "{\"Alphabetic\":\"A\"}", "\"7FE00010\":", "\"00080005\":{\"vr\":\"CS\",\"Value\":[\"GB18030\"]}", " ",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly byte[][] Meta =
    [
        FileMeta.Prefix("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1"),
        FileMeta.Prefix("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.4.70"),
        FileMeta.Prefix("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2"),
        [],
    ];

    private static readonly string[] Letters =
        ["SQ", "UN", "OB", "OW", "UT", "UC", "UR", "OV", "SV", "UV", "PN", "LO", "AT", "US", "SS", "FD", "FL", "UI", "DS", "IS", "XX", "Zz", "\0\0", "  "];

    private static readonly uint[] WellKnown =
        [0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x7FE00010, 0x00081140, 0x00080005, 0x00280103, 0x00280106, 0x00090010, 0x00091001, 0x00080000, 0x00020010, 0, 0xFFFFFFFF];

    /// <summary>The input of this number.</summary>
    public Input Make(ulong number)
    {
        // Consecutive numbers must not give similar sequences.
        var random = new Random(unchecked((int)((number * 0x9E3779B97F4A7C15) >> 32)));
        InputKind kind = Shares[random.Next(Shares.Length)];

        // Half of what is wrapped is damaged inside, half outside.
        bool isWrapped = kind is InputKind.Deflated or InputKind.File && random.Next(2) == 0;
        Layout seed = Any(isWrapped ? InputKind.Explicit : kind, random);
        byte[] bytes = seed.Input.Bytes;
        bool keepsLayout = true;
        for (int i = random.Next(4) == 0 ? random.Next(2, 8) : 1; i > 0; i--)
        {
            (bytes, bool isInPlace) = Mutate(seed, bytes, keepsLayout, random);
            keepsLayout &= isInPlace;
        }

        bytes = bytes.Length > Longest ? bytes[..Longest] : bytes;
        return new Input(kind, !isWrapped ? bytes : kind == InputKind.Deflated ? Deflated.Deflate(ByteSource.Of(bytes)) : [.. Meta[random.Next(Meta.Length)], .. bytes]);
    }

    private Layout Any(InputKind kind, Random random) => _seeds[kind][random.Next(_seeds[kind].Length)];

    private (byte[] Bytes, bool IsInPlace) Mutate(Layout seed, byte[] bytes, bool keepsLayout, Random random)
    {
        if (keepsLayout && random.Next(2) == 0 && seed.Lengths.Length > 0)
        {
            return seed.Input.Kind == InputKind.Json ? (ChangeValue(seed, bytes, random), false) : (ChangeField(seed, [.. bytes], random), true);
        }

        if (bytes.Length == 0)
        {
            return (Piece(seed.Input.Kind, random), false);
        }

        (int from, int to) = Range(seed, bytes, keepsLayout, random);
        switch (random.Next(9))
        {
            case 0:
                byte[] flipped = [.. bytes];
                for (int i = random.Next(1, 5); i > 0; i--)
                {
                    flipped[random.Next(flipped.Length)] = (byte)(random.Next(3) == 0 ? random.Next(4) * 0x55 : random.Next(256));
                }

                return (flipped, true);
            case 1:
                return (bytes[..random.Next(bytes.Length)], true);
            case 2:
                return ([.. bytes.AsSpan(0, from), .. bytes.AsSpan(to)], false);
            case 3:
                return ([.. bytes.AsSpan(0, to), .. bytes.AsSpan(from)], false);
            case 4:
                byte[] piece = Piece(seed.Input.Kind, random);
                return ([.. bytes.AsSpan(0, from), .. Repeat(piece, random), .. bytes.AsSpan(from)], false);
            case 5:
                return ([.. bytes.AsSpan(0, from), .. Piece(seed.Input.Kind, random), .. bytes.AsSpan(to)], false);
            case 6:
                return ([.. bytes, .. new byte[random.Next(1, 40)]], true);
            default:
                // A splice: the head of this and the tail of another of its kind.
                Layout other = Any(seed.Input.Kind, random);
                (int start, int end) = Range(other, other.Input.Bytes, true, random);
                return random.Next(2) == 0
                    ? ([.. bytes.AsSpan(0, from), .. other.Input.Bytes.AsSpan(start)], false)
                    : ([.. bytes.AsSpan(0, from), .. other.Input.Bytes.AsSpan(start..end), .. bytes.AsSpan(from)], false);
        }
    }

    private static (int From, int To) Range(Layout seed, byte[] bytes, bool keepsLayout, Random random)
    {
        int a, b;
        if (keepsLayout && random.Next(8) != 0)
        {
            // One element or token as often as any number of them.
            int start = random.Next(seed.Boundaries.Length);
            int end = random.Next(4) != 0 ? Math.Min(start + 1, seed.Boundaries.Length - 1) : random.Next(seed.Boundaries.Length);
            (a, b) = (Math.Min(bytes.Length, seed.Boundaries[start]), Math.Min(bytes.Length, seed.Boundaries[end]));
        }
        else
        {
            (a, b) = (random.Next(bytes.Length + 1), random.Next(bytes.Length + 1));
        }

        return (Math.Min(a, b), Math.Max(a, b));
    }

    /// <summary>Another VR, text or number where one stood: what comes out is JSON still.</summary>
    private static byte[] ChangeValue(Layout seed, byte[] json, Random random)
    {
        (int offset, int size) = seed.Lengths[random.Next(seed.Lengths.Length)];
        if (offset + size > json.Length)
        {
            return json;
        }

        byte[] value = size == 4 && json[offset] == '"' ? Encoding.ASCII.GetBytes($"\"{Letters[random.Next(Letters.Length - 4)]}\"") : JsonValues[random.Next(JsonValues.Length)];
        return [.. json.AsSpan(0, offset), .. value, .. json.AsSpan(offset + size)];
    }

    private static byte[] ChangeField(Layout seed, byte[] bytes, Random random)
    {
        bool bigEndian = seed.Input.Kind is InputKind.BigEndian or InputKind.Pdu;
        int choice = random.Next(10);
        if (choice < 2 && seed.Vrs.Length > 0)
        {
            string letters = Letters[random.Next(Letters.Length)];
            Put(bytes, seed.Vrs[random.Next(seed.Vrs.Length)], [(byte)letters[0], (byte)letters[1]]);
            return bytes;
        }

        if (choice < 4 && seed.Input.Kind == InputKind.Pdu)
        {
            Put(bytes, seed.Tags[random.Next(seed.Tags.Length)], [(byte)(random.Next(2) == 0 ? random.Next(9) : random.Next(0x60))]);
            return bytes;
        }

        if (choice < 4)
        {
            uint tag = WellKnown[random.Next(WellKnown.Length)];
            byte[] coded = new byte[4];
            if (bigEndian)
            {
                BinaryPrimitives.WriteUInt32BigEndian(coded, tag);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(coded, (tag >> 16) | (tag << 16));
            }

            Put(bytes, seed.Tags[random.Next(seed.Tags.Length)], coded);
            return bytes;
        }

        (int offset, int size) = seed.Lengths[random.Next(seed.Lengths.Length)];
        if (offset + size > bytes.Length)
        {
            return bytes;
        }

        Span<byte> field = bytes.AsSpan(offset, size);
        uint old = size == 2
            ? bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(field) : BinaryPrimitives.ReadUInt16LittleEndian(field)
            : bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(field) : BinaryPrimitives.ReadUInt32LittleEndian(field);
        uint rest = (uint)(bytes.Length - offset - size);
        uint length = random.Next(14) switch
        {
            0 => 0,
            1 => 1,
            2 => 0xFFFF_FFFF,
            3 => 0xFFFF_FFFE,
            4 => 0x7FFF_FFFF,
            5 => 0x8000_0000,
            6 => old + 1,
            7 => old - 1,
            8 => old + 2,
            9 => old - 2,
            10 => rest,
            11 => rest + 1,
            12 => rest - 1,
            _ => (uint)random.Next(),
        };
        if (size == 2 && bigEndian)
        {
            BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)length);
        }
        else if (size == 2)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(field, (ushort)length);
        }
        else if (bigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(field, length);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(field, length);
        }

        return bytes;
    }

    private static void Put(byte[] bytes, int offset, ReadOnlySpan<byte> value)
    {
        if (offset + value.Length <= bytes.Length)
        {
            value.CopyTo(bytes.AsSpan(offset));
        }
    }

    private static byte[] Piece(InputKind kind, Random random)
    {
        byte[][] pieces = kind switch
        {
            InputKind.Pdu => PduPieces,
            InputKind.Json => JsonPieces,
            _ => DataSetPieces,
        };
        return pieces[random.Next(pieces.Length)];
    }

    /// <summary>Once, a few times, or so often that every limit of depth is met.</summary>
    private static byte[] Repeat(byte[] piece, Random random)
    {
        int times = random.Next(12) switch
        {
            0 => random.Next(2, 300),
            1 => random.Next(2, 10),
            _ => 1,
        };
        byte[] all = new byte[piece.Length * times];
        for (int i = 0; i < times; i++)
        {
            piece.CopyTo(all, i * piece.Length);
        }

        return all;
    }
}
