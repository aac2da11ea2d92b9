namespace PacsStegoGateway.Imaging.Codecs.Rle;

/// <summary>The run-length code of PS3.5 G.3: a count byte, then either that many bytes or one byte to be repeated.</summary>
internal static class PackBits
{
    /// <summary>Most bytes that packing a row of this length can give.</summary>
    public static int MaxLength(int length) => length + ((length + 127) / 128);

    /// <summary>Unpacks until the destination is full or the source ends; what the source has beyond that is padding.</summary>
    /// <returns>Bytes written.</returns>
    public static int Unpack(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        int from = 0, to = 0;
        while (to < destination.Length && from < source.Length - 1)
        {
            int count = (sbyte)source[from++];
            if (count >= 0)
            {
                int length = Math.Min(count + 1, Math.Min(source.Length - from, destination.Length - to));
                source.Slice(from, length).CopyTo(destination[to..]);
                from += count + 1;
                to += length;
            }
            else if (count != -128)
            {
                int length = Math.Min(1 - count, destination.Length - to);
                destination.Slice(to, length).Fill(source[from++]);
                to += length;
            }
        }

        return to;
    }

    /// <summary>Packs one row: bytes repeated three times or more become a run.</summary>
    /// <returns>Bytes written, at most <see cref="MaxLength"/>.</returns>
    public static int Pack(ReadOnlySpan<byte> row, Span<byte> destination)
    {
        int to = 0, literal = 0, at = 0;
        while (at < row.Length)
        {
            if (at + 1 < row.Length && row[at + 1] != row[at])
            {
                at++;
                continue;
            }

            int run = row[at..].IndexOfAnyExcept(row[at]);
            run = run < 0 ? row.Length - at : run;
            if (run < 3)
            {
                at += run;
                continue;
            }

            to += PackLiterals(row[literal..at], destination[to..]);
            byte value = row[at];
            at += run;
            while (run > 1)
            {
                int length = Math.Min(run, 128);
                destination[to++] = (byte)(1 - length);
                destination[to++] = value;
                run -= length;
            }

            // One byte left over of a long run is the first of what follows.
            literal = at - run;
        }

        return to + PackLiterals(row[literal..], destination[to..]);
    }

    private static int PackLiterals(ReadOnlySpan<byte> literals, Span<byte> destination)
    {
        int to = 0;
        while (!literals.IsEmpty)
        {
            int length = Math.Min(literals.Length, 128);
            destination[to++] = (byte)(length - 1);
            literals[..length].CopyTo(destination[to..]);
            to += length;
            literals = literals[length..];
        }

        return to;
    }
}
