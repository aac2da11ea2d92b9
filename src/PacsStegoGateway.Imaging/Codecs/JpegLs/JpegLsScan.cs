using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.JpegLs;

/// <summary>Decodes the lines of one scan (ITU-T T.87 Annex A, F.1). Every code is bounded, whatever the bits are.</summary>
internal ref struct JpegLsScan
{
    /// <summary>No sum of prediction errors is greater in a sound scan; doubling it does not overflow.</summary>
    private const int MaxSum = 1 << 30;

    private readonly JpegLsParameters _parameters;
    private readonly int _width, _near, _step, _maxValue, _span, _limit, _errorBits;
    private readonly sbyte[] _regions;
    private readonly int[] _a = new int[367], _b = new int[365], _c = new int[365], _n = new int[367], _negative = new int[2];
    private readonly int[][] _above, _current;
    private readonly int[] _runIndex;
    private JpegLsBits _bits;

    public JpegLsScan(ReadOnlySpan<byte> bytes, JpegLsParameters parameters, int width, int components)
    {
        _bits = new JpegLsBits(bytes);
        (_parameters, _width) = (parameters, width);
        (_near, _step, _maxValue) = (parameters.Near, (2 * parameters.Near) + 1, parameters.MaxValue);
        (_span, _limit, _errorBits) = (parameters.Range * _step, parameters.Limit, parameters.ErrorBits);
        _a.AsSpan().Fill(Math.Max(2, (parameters.Range + 32) / 64));
        _n.AsSpan().Fill(1);
        _runIndex = new int[components];
        (_above, _current) = (new int[components][], new int[components][]);
        for (int i = 0; i < components; i++)
        {
            (_above[i], _current[i]) = (new int[width + 2], new int[width + 2]);
        }

        _regions = new sbyte[(2 * _maxValue) + 1];
        for (int i = 0; i < _regions.Length; i++)
        {
            int difference = i - _maxValue, size = Math.Abs(difference);
            int region = size <= _near ? 0 : size < parameters.Threshold1 ? 1 : size < parameters.Threshold2 ? 2 : size < parameters.Threshold3 ? 3 : 4;
            _regions[i] = (sbyte)(difference < 0 ? -region : region);
        }
    }

    private static ReadOnlySpan<byte> RunLengths => [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>Bytes of the scan behind the last one that was needed.</summary>
    public readonly ReadOnlySpan<byte> Unread => _bits.Unread;

    /// <summary>Samples of the line decoded last.</summary>
    public readonly ReadOnlySpan<int> Line(int component) => _current[component].AsSpan(1, _width);

    /// <summary>Decodes one line of every component, one after the other or, if mixed, sample by sample.</summary>
    public void ReadLine(bool isMixed)
    {
        for (int i = 0; i < _current.Length; i++)
        {
            (_above[i], _current[i]) = (_current[i], _above[i]);
            _above[i][_width + 1] = _above[i][_width];
            _current[i][0] = _above[i][1];
        }

        if (isMixed)
        {
            ReadMixed();
            return;
        }

        for (int i = 0; i < _current.Length; i++)
        {
            ReadOne(_above[i], _current[i], ref _runIndex[i]);
        }
    }

    private void ReadOne(int[] above, int[] current, ref int runIndex)
    {
        for (int x = 1; x <= _width; x++)
        {
            int context = Context(above, current, x);
            if (context != 0)
            {
                current[x] = ReadRegular(context, current[x - 1], above[x], above[x - 1]);
                continue;
            }

            int left = current[x - 1], end = x + ReadRun(_width + 1 - x, ref runIndex);
            current.AsSpan(x, end - x).Fill(left);
            x = end;
            if (x <= _width)
            {
                int up = above[x];
                current[x] = Math.Abs(left - up) <= _near
                    ? Reconstruct(left, ReadInterruption(1, runIndex))
                    : Reconstruct(up, up < left ? -ReadInterruption(0, runIndex) : ReadInterruption(0, runIndex));
                runIndex = Math.Max(0, runIndex - 1);
            }
        }
    }

    private void ReadMixed()
    {
        Span<int> contexts = stackalloc int[_current.Length];
        for (int x = 1; x <= _width; x++)
        {
            bool isRun = true;
            for (int i = 0; i < contexts.Length; i++)
            {
                contexts[i] = Context(_above[i], _current[i], x);
                isRun &= contexts[i] == 0;
            }

            if (!isRun)
            {
                for (int i = 0; i < contexts.Length; i++)
                {
                    _current[i][x] = ReadRegular(contexts[i], _current[i][x - 1], _above[i][x], _above[i][x - 1]);
                }

                continue;
            }

            int end = x + ReadRun(_width + 1 - x, ref _runIndex[0]);
            foreach (int[] current in _current)
            {
                current.AsSpan(x, end - x).Fill(current[x - 1]);
            }

            x = end;
            if (x <= _width)
            {
                for (int i = 0; i < contexts.Length; i++)
                {
                    int error = ReadInterruption(0, _runIndex[0]), up = _above[i][x];
                    _current[i][x] = Reconstruct(up, up < _current[i][x - 1] ? -error : error);
                }

                _runIndex[0] = Math.Max(0, _runIndex[0] - 1);
            }
        }
    }

    /// <summary>The context of a sample by its neighbours (A.3): 0 is a run, negative is mirrored.</summary>
    private readonly int Context(int[] above, int[] current, int x)
    {
        int left = current[x - 1], up = above[x], corner = above[x - 1];
        return (81 * _regions[above[x + 1] - up + _maxValue]) + (9 * _regions[up - corner + _maxValue]) + _regions[corner - left + _maxValue];
    }

    private int ReadRegular(int context, int left, int up, int corner)
    {
        int sign = context < 0 ? -1 : 1;
        int q = context * sign;
        int predicted = corner >= Math.Max(left, up) ? Math.Min(left, up) : corner <= Math.Min(left, up) ? Math.Max(left, up) : left + up - corner;
        predicted = Math.Clamp(predicted + (sign * _c[q]), 0, _maxValue);
        int n = _n[q], a = _a[q], b = _b[q], k = 0;
        while (n << k < a)
        {
            k++;
        }

        int mapped = ReadCode(k, _limit);
        int error = (mapped & 1) == 0 ? mapped >> 1 : -((mapped + 1) >> 1);
        if (_near == 0 && k == 0 && 2 * b <= -n)
        {
            error = -error - 1;
        }

        b += error * _step;
        a = Grow(a, Math.Abs(error));
        if (n == _parameters.Reset)
        {
            (a, b, n) = (a >> 1, b >> 1, n >> 1);
        }

        n++;
        if (b <= -n)
        {
            b = Math.Max(b + n, 1 - n);
            _c[q] = Math.Max(-128, _c[q] - 1);
        }
        else if (b > 0)
        {
            b = Math.Min(b - n, 0);
            _c[q] = Math.Min(127, _c[q] + 1);
        }

        (_a[q], _b[q], _n[q]) = (a, b, n);
        return Reconstruct(predicted, sign * error);
    }

    /// <summary>How many samples repeat the one to the left (A.7.1), at most what is left of the line.</summary>
    private int ReadRun(int left, ref int runIndex)
    {
        int count = 0;
        while (_bits.Read(1) == 1)
        {
            int whole = 1 << RunLengths[runIndex];
            int part = Math.Min(whole, left - count);
            count += part;
            runIndex = part == whole ? Math.Min(31, runIndex + 1) : runIndex;
            if (count == left)
            {
                return count;
            }
        }

        count += _bits.Read(RunLengths[runIndex]);
        return count <= left ? count : throw new DicomContentException("JPEG-LS: a run is longer than its line.");
    }

    /// <summary>The prediction error of the sample that ends a run (A.7.2).</summary>
    private int ReadInterruption(int type, int runIndex)
    {
        int q = 365 + type, n = _n[q], sum = type == 0 ? _a[q] : _a[q] + (n >> 1), k = 0;
        while ((long)n << k < sum)
        {
            k++;
        }

        int mapped = ReadCode(k, _limit - RunLengths[runIndex] - 1);
        int twice = mapped + type, odd = twice & 1;
        int error = (twice + odd) / 2;
        error = (k != 0 || 2 * _negative[type] >= n) == (odd == 1) ? -error : error;
        _negative[type] += error < 0 ? 1 : 0;
        _a[q] = Grow(_a[q], (mapped + 1 - type) >> 1);
        if (n == _parameters.Reset)
        {
            (_a[q], n, _negative[type]) = (_a[q] >> 1, n >> 1, _negative[type] >> 1);
        }

        _n[q] = n + 1;
        return error;
    }

    /// <summary>A limited Golomb code (A.5.3).</summary>
    private int ReadCode(int k, int limit)
    {
        int escape = limit - _errorBits - 1;
        int high = _bits.ReadUnary(limit);
        long value = high < escape ? ((long)high << k) + _bits.Read(k) : _bits.Read(_errorBits) + 1;

        // The error is at most half of RANGE, its mapped value at most RANGE: leave what encoders do at the edge.
        return value <= 2L * _parameters.Range ? (int)value : throw new DicomContentException("JPEG-LS: a prediction error is greater than the samples.");
    }

    private readonly int Reconstruct(int predicted, int error)
    {
        int value = predicted + (error * _step);
        value = value < -_near ? value + _span : value > _maxValue + _near ? value - _span : value;
        return Math.Clamp(value, 0, _maxValue);
    }

    private static int Grow(int sum, int by) =>
        sum <= MaxSum - by ? sum + by : throw new DicomContentException("JPEG-LS: the prediction errors are greater than the samples.");
}
